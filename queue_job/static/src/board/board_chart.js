/* global Chart */
import { Component, onWillStart, onWillUnmount, useEffect, useRef } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { _t } from "@web/core/l10n/translation";
import { formatSeconds } from "../durations";

const TRANSLUCENT = "55";

/** Round durations in seconds, about three times as long each, from a millisecond to a week. */
const TIMES = [
    ...[0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    ...[60, 180, 600, 1800, 3600, 10800, 43200, 86400, 259200, 604800],
];

/** Of them so many on an axis. */
const TICKS = 6;

/** A colour of the theme, by its name of Bootstrap; others are colours already. */
function resolve(style, colour) {
    return style.getPropertyValue(`--${colour}`).trim() || colour;
}

/** A vertical line where something was started or upgraded. */
const marksPlugin = {
    id: "queueJobMarks",
    afterDatasetsDraw(chart, _args, { marks, at, size, colour }) {
        const { ctx, chartArea, scales } = chart;
        for (const mark of marks || []) {
            const x = scales.x.getPixelForValue((mark.at - at[0]) / size - 0.5 * scales.x.options.offset);
            if (x < chartArea.left || x > chartArea.right) {
                continue;
            }
            ctx.save();
            ctx.strokeStyle = ctx.fillStyle = colour;
            ctx.setLineDash([2, 3]);
            ctx.beginPath();
            ctx.moveTo(x, chartArea.top);
            ctx.lineTo(x, chartArea.bottom);
            ctx.stroke();
            ctx.beginPath();
            ctx.moveTo(x - 4, chartArea.top);
            ctx.lineTo(x + 4, chartArea.top);
            ctx.lineTo(x, chartArea.top + 6);
            ctx.fill();
            ctx.restore();
        }
    },
};

/** A dashed frame around the bars of the bucket that is not over yet. */
const lastBarPlugin = {
    id: "queueJobLastBar",
    afterDatasetsDraw(chart, _args, { colour }) {
        const place = chart.data.labels.length - 1;
        const bars = chart.getSortedVisibleDatasetMetas().map((meta) => meta.data[place]);
        const seen = bars.filter((bar) => bar && Math.abs(bar.base - bar.y) > 1);
        if (!seen.length) {
            return;
        }
        const top = Math.min(...seen.map((bar) => bar.y));
        const bottom = Math.max(...seen.map((bar) => bar.base));
        const { x, width } = seen[0];
        chart.ctx.save();
        chart.ctx.strokeStyle = colour;
        chart.ctx.setLineDash([3, 2]);
        chart.ctx.strokeRect(x - width / 2, top, width, bottom - top);
        chart.ctx.restore();
    },
};

/** A chart of the dashboard, drawn by Odoo's own Chart.js. */
export class BoardChart extends Component {
    static template = "queue_job.BoardChart";
    static props = {
        title: String,
        hint: String,
        text: String,
        type: String,
        unit: String,
        stacked: { type: Boolean, optional: true },
        lines: Array,
        labels: Array,
        at: Array,
        size: Number,
        marks: Array,
    };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(() => this.draw());
        onWillUnmount(() => this.chart?.destroy());
    }

    get isEmpty() {
        return !this.props.lines.some(({ data }) => data.some((value) => value));
    }

    get description() {
        const nothing = _t("nothing in this range");
        return `${this.props.title}: ${this.props.text || nothing}`;
    }

    /** Draw, or only move what is drawn: a chart that is made anew every few seconds flickers. */
    draw() {
        const kind = `${this.props.type} ${this.props.unit} ${this.props.stacked}`;
        if (!this.chart || this.kind !== kind) {
            this.chart?.destroy();
            this.kind = kind;
            this.chart = new Chart(this.canvas.el, this.config());
            return;
        }
        const { data, options } = this.config();
        this.chart.data.labels = data.labels;
        this.replaceDatasets(data.datasets);
        this.chart.options.plugins.queueJobMarks = options.plugins.queueJobMarks;
        this.chart.update("none");
    }

    /** Keep which lines the user has hidden. */
    replaceDatasets(datasets) {
        const known = Object.fromEntries(
            this.chart.data.datasets.map((dataset, place) => [
                dataset.key,
                this.chart.isDatasetVisible(place),
            ])
        );
        this.chart.data.datasets = datasets;
        datasets.forEach(({ key }, place) =>
            this.chart.setDatasetVisibility(place, known[key] !== false)
        );
    }

    config() {
        const style = getComputedStyle(this.canvas.el);
        const isBar = this.props.type === "bar";
        return {
            type: this.props.type,
            data: {
                labels: this.props.labels,
                datasets: this.props.lines.map((line) => this.dataset(line, style, isBar)),
            },
            options: this.options(style, isBar),
            plugins: isBar ? [lastBarPlugin, marksPlugin] : [marksPlugin],
        };
    }

    dataset(line, style, isBar) {
        const colour = resolve(style, line.colour);
        const last = line.data.length - 1;
        const values = this.props.unit === "seconds" ? line.data.map((v) => v || null) : line.data;
        const shared = { key: line.key, label: line.label, data: values };
        if (isBar) {
            const colours = values.map((_v, place) =>
                place === last ? colour + TRANSLUCENT : colour
            );
            return { ...shared, backgroundColor: colours, legendColour: colour };
        }
        return {
            ...shared,
            borderColor: colour,
            backgroundColor: colour + TRANSLUCENT,
            legendColour: colour,
            fill: Boolean(this.props.stacked),
            borderWidth: 2,
            borderDash: line.key === "oldest" ? [6, 3] : [],
            pointRadius: (context) => this.pointRadius(values, context.dataIndex),
            pointHitRadius: 8,
            tension: 0.2,
            // What is not over yet may still change.
            segment: { borderDash: (part) => (part.p1DataIndex === last ? [3, 3] : undefined) },
        };
    }

    /** A value without neighbours would not be seen. */
    pointRadius(values, place) {
        const alone = (other) => values[other] === null || values[other] === undefined;
        return alone(place - 1) && alone(place + 1) ? 2 : 0;
    }

    options(style, isBar) {
        const text = style.color;
        const grid = resolve(style, "border-color");
        return {
            animation: false,
            maintainAspectRatio: false,
            interaction: { mode: "index", intersect: false },
            scales: {
                x: {
                    stacked: isBar,
                    grid: { display: false },
                    border: { color: grid },
                    ticks: { color: text, maxRotation: 0, autoSkipPadding: 16 },
                },
                y: this.axis(isBar, text, grid),
            },
            plugins: {
                legend: this.legend(text),
                tooltip: { callbacks: { label: this.tip.bind(this), footer: this.foot.bind(this) } },
                queueJobMarks: {
                    marks: this.props.marks,
                    at: this.props.at,
                    size: this.props.size,
                    colour: text,
                },
                queueJobLastBar: { colour: text },
            },
        };
    }

    axis(isBar, text, grid) {
        const shared = { border: { display: false }, grid: { color: grid } };
        if (this.props.unit === "seconds") {
            return {
                ...shared,
                type: "logarithmic",
                afterBuildTicks: (axis) => (axis.ticks = timeTicks(axis.min, axis.max)),
                ticks: { color: text, callback: (value) => formatSeconds(value) },
            };
        }
        return {
            ...shared,
            stacked: isBar || Boolean(this.props.stacked),
            beginAtZero: true,
            suggestedMax: 4,
            ticks: { color: text, precision: 0, maxTicksLimit: 6 },
        };
    }

    legend(text) {
        const generateLabels = (chart) =>
            chart.data.datasets.map((dataset, datasetIndex) => ({
                text: dataset.label,
                fillStyle: dataset.legendColour,
                strokeStyle: dataset.legendColour,
                fontColor: text,
                lineWidth: 0,
                hidden: !chart.isDatasetVisible(datasetIndex),
                datasetIndex,
            }));
        return { position: "bottom", labels: { boxWidth: 10, boxHeight: 10, generateLabels } };
    }

    tip({ dataset, raw }) {
        const value = this.props.unit === "seconds" ? formatSeconds(raw) : (raw ?? 0).toLocaleString();
        return ` ${dataset.label}: ${value}`;
    }

    foot([{ dataIndex }]) {
        const from = this.props.at[dataIndex];
        const within = ({ at }) => at >= from && at < from + this.props.size;
        const notes = this.props.marks.filter(within).map(({ label }) => label);
        if (dataIndex === this.props.at.length - 1) {
            notes.push(_t("Not over yet"));
        }
        return notes;
    }
}

/** The ticks of an axis of durations: few, and such as people say. */
function timeTicks(min, max) {
    const within = TIMES.filter((value) => value >= min && value <= max);
    const step = Math.ceil(within.length / TICKS);
    return within.filter((_value, place) => place % step === 0).map((value) => ({ value }));
}
