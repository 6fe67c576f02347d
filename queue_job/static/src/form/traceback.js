import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { sprintf } from "@web/core/utils/strings";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { QueueJobCopy } from "./copy";

/** Characters of one part that are drawn; copying has all of them. */
export const MOST_TEXT = 20000;

/** Groups of frames that are drawn: the last ones, where the error is. */
export const MOST_GROUPS = 200;

const PLACE_LINE = /^ *File "[^"\n]*", line \d+, /;

function cut(text, most) {
    const rest = text.length - most;
    const more = sprintf(_t("… %s more characters"), rest);
    return rest > 0 ? `${text.slice(0, most)}\n${more}` : text;
}

/** A traceback: the frames of the house shown, those of the framework folded. */
export class QueueJobTraceback extends Component {
    static template = "queue_job.Traceback";
    static components = { QueueJobCopy };
    static props = { pieces: Array };

    setup() {
        this.state = useState({ full: false, open: {} });
    }

    get text() {
        return this.props.pieces.map((piece) => piece.text).join("");
    }

    /** Whether there is a difference between what is clean and what is full. */
    get isLong() {
        return this.props.pieces.length > 1 || this.text.length > MOST_TEXT;
    }

    copyAll() {
        return this.text;
    }

    get fullText() {
        return cut(this.text, 10 * MOST_TEXT);
    }

    /** The parts in order, with those of the framework that follow one another as one group. */
    get groups() {
        const groups = [];
        for (const [index, piece] of this.props.pieces.entries()) {
            const last = groups.at(-1);
            if (piece.part === "framework" && last?.part === "framework") {
                last.frames.push(this.frame(piece));
            } else {
                groups.push({ key: index, part: piece.part, frames: [this.frame(piece)] });
            }
        }
        return groups.slice(-MOST_GROUPS);
    }

    /** A frame below its place: that says where the file is, without all the folders above it. */
    frame({ text, place }) {
        const shown = place ? text.replace(PLACE_LINE, "  ") : text;
        return { text: cut(shown.replace(/\n$/, ""), MOST_TEXT), place };
    }

    isFolded(group) {
        return group.part === "framework" && !this.state.open[group.key];
    }

    foldText(group) {
        const { length } = group.frames;
        return length === 1 ? _t("1 frame of the framework") : this.framesText(length);
    }

    framesText(length) {
        return sprintf(_t("%s frames of the framework"), length);
    }

    toggle(group) {
        this.state.open[group.key] = !this.state.open[group.key];
    }
}

/** The traceback of a record, as its field ``frames`` has it in parts. */
export class QueueJobTracebackField extends Component {
    static template = "queue_job.TracebackField";
    static components = { QueueJobTraceback };
    static props = { ...standardFieldProps };

    get pieces() {
        const { data } = this.props.record;
        const text = data[this.props.name];
        return data.frames || (text ? [{ part: "text", text, place: "" }] : []);
    }
}

registry.category("fields").add("queue_job_traceback", {
    component: QueueJobTracebackField,
    displayName: _t("Traceback"),
    supportedTypes: ["text"],
    fieldDependencies: [{ name: "frames", type: "json" }],
});
