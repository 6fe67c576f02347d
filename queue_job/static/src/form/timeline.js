import { Component, onWillUpdateProps, useEffect, useState } from "@odoo/owl";
import { formatSeconds } from "@queue_job/durations";
import { STATES } from "@queue_job/states";
import { browser } from "@web/core/browser/browser";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { sprintf } from "@web/core/utils/strings";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const TICK_MS = 1000;

/** Rows that are drawn before somebody asks for all: the first one and the last ones. */
const ROWS_AT_FIRST = 10;

/** What a stretch of time is called when it goes on and when it is over, and how it is drawn. */
const STRETCHES = {
    parents: { now: _t("waits for others"), then: _t("waited for others"), colour: "secondary" },
    scheduled: { now: _t("waits for its time"), then: _t("waited for its time"), colour: "secondary" },
    waiting: { now: _t("waits"), then: _t("waited"), colour: "info" },
    dispatched: { now: _t("is sent"), then: _t("was sent"), colour: "primary" },
    running: { now: _t("runs"), then: _t("ran"), colour: "warning" },
    backoff: { now: _t("waits for its next try"), then: _t("backoff"), colour: "pause" },
    snoozed: { now: _t("snoozes"), then: _t("snoozed"), colour: "secondary" },
    resting: { now: _t("has failed"), then: _t("lay failed"), colour: "pause" },
};

const OUTCOMES = {
    postponed: { label: _t("Postponed"), colour: "warning" },
    snoozed: { label: _t("Snoozed"), colour: "info" },
    conflict: { label: _t("Conflict"), colour: "warning" },
    lost: { label: _t("Lost its worker"), colour: "danger" },
};

/** Where the time of a job went: a row for each attempt, all to one scale. */
export class QueueJobTimelineField extends Component {
    static template = "queue_job.TimelineField";
    static props = { ...standardFieldProps };

    setup() {
        this.state = useState({ all: false, elapsed: 0 });
        this.told = this.props.record.data[this.props.name];
        this.loadedAt = Date.now();
        onWillUpdateProps((props) => this.onTold(props));
        useEffect(
            (isLive) => this.tickWhile(isLive),
            () => [this.isLive]
        );
    }

    get timeline() {
        return this.props.record.data[this.props.name] || { rows: [], seconds: 0 };
    }

    onTold(props) {
        const told = props.record.data[props.name];
        if (told !== this.told) {
            this.told = told;
            this.loadedAt = Date.now();
            this.state.elapsed = 0;
        }
    }

    /** Let the bar of what goes on grow; return what ends that. */
    tickWhile(isLive) {
        if (isLive) {
            const timer = browser.setInterval(() => this.tick(), TICK_MS);
            return () => browser.clearInterval(timer);
        }
    }

    tick() {
        if (!document.hidden) {
            this.state.elapsed = (Date.now() - this.loadedAt) / 1000;
        }
    }

    get isLive() {
        const segments = this.timeline.rows.at(-1)?.segments;
        return Boolean(segments?.at(-1)?.live);
    }

    get seconds() {
        return this.timeline.seconds + (this.isLive ? this.state.elapsed : 0);
    }

    get rows() {
        const { rows } = this.timeline;
        const few = this.state.all || rows.length <= ROWS_AT_FIRST;
        const shown = few ? rows : [rows[0], ...rows.slice(1 - ROWS_AT_FIRST)];
        return shown.map((row, index) => this.row(row, index));
    }

    /** Attempts between the first row and the second that are not drawn. */
    get hidden() {
        const { rows, left_out } = this.timeline;
        const folded = this.state.all ? 0 : Math.max(0, rows.length - ROWS_AT_FIRST);
        return folded + (left_out || 0);
    }

    get canShowAll() {
        return !this.state.all && this.timeline.rows.length > ROWS_AT_FIRST;
    }

    get hiddenText() {
        return sprintf(_t("%s attempts are not drawn"), this.hidden);
    }

    row(row, index) {
        const outcome = OUTCOMES[row.outcome] || STATES[row.outcome] || { label: row.outcome };
        const segments = row.segments.map((segment) => this.segment(segment, outcome));
        return {
            key: `${row.number}-${index}`,
            title: row.number ? sprintf(_t("Attempt %s"), row.number) : "",
            outcome: outcome.label,
            colour: outcome.colour || "secondary",
            before: this.share(row.segments[0]?.begin || 0),
            after: this.share(this.seconds - (segments.at(-1)?.end ?? this.seconds)),
            segments,
        };
    }

    segment(segment, outcome) {
        const { now, then, colour } = STRETCHES[segment.stretch];
        const end = segment.end + (segment.live ? this.state.elapsed : 0);
        const seconds = Math.max(0, end - segment.begin);
        return {
            text: `${segment.live ? now : then} ${formatSeconds(seconds)}`,
            colour: segment.stretch === "running" && !segment.live ? outcome.colour : colour,
            share: this.share(seconds),
            live: segment.live,
            end,
        };
    }

    /** The part of the width that is so many seconds. */
    share(seconds) {
        return this.seconds > 0 ? Math.max(0, seconds / this.seconds).toFixed(6) : "0";
    }

    get scale() {
        return [this.begin, ...[0.5, 1].map((part) => formatSeconds(this.seconds * part))];
    }

    get begin() {
        const { begin } = this.timeline;
        return begin ? formatDateTime(deserializeDateTime(begin)) : "";
    }
}

registry.category("fields").add("queue_job_timeline", {
    component: QueueJobTimelineField,
    displayName: _t("Timeline of a job"),
    supportedTypes: ["json"],
});
