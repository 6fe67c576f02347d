import { cookie } from "@web/core/browser/cookie";
import { getColor } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { formatSeconds } from "../durations";

const { DateTime } = luxon;

const DAY = 86400;

const NAMES = {
    done: () => _t("Done"),
    failed: () => _t("Failed"),
    waiting: () => _t("Waiting"),
    running: () => _t("Running"),
    p50: () => _t("Half of them (p50)"),
    p95: () => _t("95 % (p95)"),
    p99: () => _t("99 % (p99)"),
    oldest: () => _t("Oldest waiting"),
    "": () => _t("Others"),
};

/** Names of Bootstrap's colours, which follow the theme. */
const COLOURS = {
    done: "success",
    failed: "danger",
    waiting: "info",
    running: "primary",
    p50: "success",
    p95: "info",
    p99: "primary",
    oldest: "danger",
};

/** The percentiles in words as short as a legend needs. */
const SHORT = { p50: "p50", p95: "p95", p99: "p99" };

/** The full name without what all have in common. */
export function shortName(key) {
    return key.replace(/^root\./, "").replace(/^<(.+)>\./, "$1.");
}

function isKnown(key, group) {
    return key === "" || group === "state" || key in SHORT || key === "oldest";
}

function line(key, data, place, group = "state") {
    const known = isKnown(key, group) && key in NAMES;
    // As many colours as there may be series, each unlike its neighbours; the others are grey.
    const colour = key ? getColor(place, cookie.get("color_scheme"), "sm") : "gray-500";
    return {
        key,
        label: SHORT[key] || (known ? NAMES[key]() : shortName(key)),
        data,
        colour: (known && COLOURS[key]) || colour,
    };
}

function lines(found, group) {
    return found.map(({ key, data }, place) => line(key, data, place, group));
}

function percentileLines(found) {
    return Object.keys(SHORT).map((key, place) => line(key, found[key], place));
}

/** What the axis of times says of each bucket. */
export function timeLabels(series) {
    const long = series.at.at(-1) - series.at[0] > DAY;
    const format = long ? { ...DateTime.DATETIME_SHORT, year: undefined } : DateTime.TIME_SIMPLE;
    return series.at.map((at) => DateTime.fromSeconds(at).toLocaleString(format));
}

/** The size of a bucket in words. */
function bucketText(size) {
    return _t("per %s", formatSeconds(size));
}

function total(found) {
    return found.reduce((sum, { data }) => sum + data.reduce((one, two) => one + (two || 0), 0), 0);
}

function percentileText(all) {
    const parts = Object.keys(SHORT).filter((key) => all[key] !== null);
    return parts.map((key) => `${SHORT[key]} ${formatSeconds(all[key])}`).join(" · ");
}

/**
 * The charts of the dashboard.
 *
 * @param {Object} series as the server makes it
 * @param {number} limit waiting jobs that are counted
 * @returns {Object[]} properties of each chart
 */
export function boardCharts(series, limit) {
    const ended = total(series.throughput);
    const depth = series.depth.find(({ key }) => key === "waiting");
    const deepest = Math.max(0, ...(depth ? depth.data : []));
    const most = `${deepest.toLocaleString()}${deepest >= limit ? "+" : ""}`;
    return [
        {
            key: "throughput",
            title: _t("Throughput"),
            hint: bucketText(series.size),
            text: ended ? _t("%s jobs ended", ended.toLocaleString()) : "",
            type: "bar",
            unit: "jobs",
            lines: lines(series.throughput, series.group),
        },
        {
            key: "depth",
            title: _t("Queue depth"),
            hint: _t("most at a time"),
            text: deepest ? _t("up to %s waiting", most) : "",
            type: "line",
            stacked: series.group === "channel",
            unit: "jobs",
            lines: lines(series.depth, series.group === "channel" ? "channel" : "state"),
        },
        {
            key: "wait",
            title: _t("Wait until the start"),
            hint: _t("when it rises: add capacity"),
            text: percentileText(series.wait_all),
            type: "line",
            unit: "seconds",
            lines: [...percentileLines(series.wait), line("oldest", series.oldest, 3)],
        },
        {
            key: "run",
            title: _t("Run time"),
            hint: _t("when it rises: look at the code"),
            text: percentileText(series.run_all),
            type: "line",
            unit: "seconds",
            lines: percentileLines(series.run),
        },
    ];
}
