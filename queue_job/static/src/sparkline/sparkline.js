import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const WIDTH = 4;
const HEIGHT = 24;
/** Of what is not zero: one must be seen beside ten thousand. */
const LEAST = 2;

/**
 * The bars of a row of counts, the oldest first.
 *
 * @param {number[]} counts
 * @returns {{x: number, y: number, height: number, count: number}[]} in units of the drawing
 */
export function bars(counts) {
    const most = Math.max(1, ...counts);
    return counts.map((count, place) => {
        const height = count ? Math.max(LEAST, (HEIGHT * count) / most) : 0;
        return { x: place * WIDTH, y: HEIGHT - height, height, count };
    });
}

/** A row of counts as small bars; in words for who does not see them. */
export class Sparkline extends Component {
    static template = "queue_job.Sparkline";
    static props = { ...standardFieldProps, colour: { type: String, optional: true } };
    static defaultProps = { colour: "danger" };

    get counts() {
        const value = this.props.record.data[this.props.name];
        return Array.isArray(value) ? value : [];
    }

    get bars() {
        return bars(this.counts).filter((bar) => bar.height);
    }

    get box() {
        return `0 0 ${WIDTH * Math.max(1, this.counts.length)} ${HEIGHT}`;
    }

    get barWidth() {
        return WIDTH - 1;
    }

    get height() {
        return HEIGHT;
    }

    get words() {
        const sum = this.counts.reduce((sum, count) => sum + count, 0);
        return _t("%(sum)s in all, %(most)s at the most, %(last)s last", {
            sum,
            most: Math.max(0, ...this.counts),
            last: this.counts.at(-1) || 0,
        });
    }
}

export const sparkline = {
    component: Sparkline,
    displayName: _t("Sparkline"),
    supportedTypes: ["json"],
    supportedOptions: [{ label: _t("Colour"), name: "colour", type: "string" }],
    extractProps: ({ options }) => ({ colour: options.colour }),
};

registry.category("fields").add("queue_job_sparkline", sparkline);
