import { _t } from "@web/core/l10n/translation";
import { Component, markRaw, onWillStart, onWillUpdateProps, useEffect, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { useService } from "@web/core/utils/hooks";
import { useRefresh } from "@queue_job/refresh/refresh";
import { colour, label } from "@queue_job/states";
import { QueueJobGraphCanvas } from "./graph_canvas";
import { QueueJobGraphPanel } from "./graph_panel";
import {
    boxText,
    counted,
    countedAll,
    describe,
    isMoving,
    stateOf,
    title,
} from "./graph_states";

/** Seconds between two looks: while something runs, and while something only waits for others. */
const PACES = { moving: 3, waiting: 30, lost: 5 };

/** Jobs that wait for each other, drawn or as a list, in their states as they change. */
export class QueueJobGraph extends Component {
    static template = "queue_job.Graph";
    static components = { QueueJobGraphCanvas, QueueJobGraphPanel };
    static props = {
        jobId: Number,
        isFull: { type: Boolean, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.ui = useService("ui");
        Object.assign(this, { colour, label, title });
        this.state = useState({
            drawing: null,
            states: {},
            summaries: [],
            cursor: 0,
            selected: -1,
            isList: this.ui.isSmall,
            isLost: false,
            problem: "",
        });
        this.canvas = {};
        this.refresh = useRefresh(
            () => this.look(),
            () => this.pace
        );
        onWillStart(() => this.load(this.props.jobId));
        onWillUpdateProps((next) => next.jobId !== this.props.jobId && this.load(next.jobId));
        useEffect(
            () => this.refresh.restart(),
            () => [this.pace]
        );
        useEffect(
            (place) => {
                if (this.focusing) {
                    this.focus(place);
                }
            },
            () => [this.state.cursor]
        );
    }

    // What is there

    get pace() {
        const { drawing, isLost, states } = this.state;
        if (isLost) {
            return PACES.lost;
        }
        if (!drawing || drawing.is_too_large) {
            return 0;
        }
        if (isMoving(states)) {
            return PACES.moving;
        }
        return states.wait_dependencies?.length ? PACES.waiting : 0;
    }

    get totals() {
        return countedAll(this.state.states);
    }

    get waiting() {
        const { pending, enqueued, wait_dependencies: others } = this.state.states;
        return [pending, enqueued, others].reduce((sum, ids) => sum + (ids?.length || 0), 0);
    }

    get failed() {
        return this.state.states.failed || [];
    }

    get selectedBox() {
        return this.state.drawing.boxes[this.state.selected];
    }

    /** What the box at a place of the list waits for, in words. */
    parentsOf(place) {
        const { boxes, lines } = this.state.drawing;
        const parents = lines.filter((line) => line.target === place);
        return parents.map((line) => title(boxes[line.source])).join(", ");
    }

    /** The states of a box of the list in words. */
    stateText(place) {
        const summary = this.state.summaries[place];
        return summary.length > 1 ? describe(summary) : boxText(summary);
    }

    async load(jobId) {
        this.asked = jobId;
        const drawing = await this.ask("graph_drawing", jobId);
        if (!drawing || this.asked !== jobId) {
            return;
        }
        const { states, ...rest } = drawing;
        const cursor = Math.max(0, (rest.boxes || []).findIndex((box) => box.ids.includes(jobId)));
        Object.assign(this.state, { drawing: markRaw(rest), cursor, selected: -1 });
        this.take(states || {});
    }

    async look() {
        const { drawing } = this.state;
        if (!drawing) {
            return this.load(this.props.jobId);
        }
        const jobId = this.asked;
        const states = await this.ask("graph_states", jobId);
        if (!states || this.asked !== jobId) {
            return;
        }
        const count = countedAll(states).reduce((sum, { count }) => sum + count, 0);
        return count === drawing.count ? this.take(states) : this.load(jobId);
    }

    /** Ask the server; without an answer say so, and leave what is shown. */
    async ask(method, jobId) {
        try {
            const answer = await this.orm.silent.call("queue.job", method, [[jobId]]);
            Object.assign(this.state, { isLost: false, problem: "" });
            return answer;
        } catch (error) {
            this.state.isLost = true;
            this.state.problem = error.data?.message || "";
            return null;
        }
    }

    take(states) {
        const known = stateOf(states);
        this.state.states = markRaw(states);
        this.state.summaries = markRaw(
            (this.state.drawing.boxes || []).map((box) => counted(box.ids, known))
        );
    }

    // Going about in it

    move(place) {
        if (place >= 0) {
            this.focusing = true;
            this.state.cursor = place;
        }
    }

    focus(place) {
        this.focusing = false;
        this.canvas.focus?.(place);
    }

    select(place) {
        this.state.selected = place;
        if (place >= 0) {
            this.state.cursor = place;
        }
    }

    close() {
        this.state.selected = -1;
        this.canvas.focus?.(this.state.cursor);
    }

    open(place, state) {
        const { ids } = this.state.drawing.boxes[place];
        if (ids.length > 1) {
            const domain = [["id", "in", ids]];
            return this.openList(state ? [...domain, ["state", "=", state]] : domain);
        }
        if (ids[0] === this.props.jobId && !this.props.isFull) {
            return this.select(place);
        }
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "queue.job",
            res_id: ids[0],
            views: [[false, "form"]],
        });
    }

    openAll() {
        return this.openList([["id", "in", Object.values(this.state.states).flat()]]);
    }

    openList(domain) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Jobs of the Graph"),
            res_model: "queue.job",
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain,
        });
    }

    openFull() {
        return this.action.doAction("queue_job.action_queue_job_graph", {
            additionalContext: { active_id: this.props.jobId },
        });
    }

    // Steering

    retry(ids) {
        const failed = new Set(this.failed);
        const count = ids.filter((id) => failed.has(id)).length;
        this.confirm({
            title: _t("Retry"),
            body: count
                ? _t("%s failed jobs, and what was cancelled below them, will run again.", count)
                : _t("What was cancelled here, and below, will run again."),
            confirmLabel: _t("Retry"),
            method: "retry_branch",
            ids,
            said: (number) => _t("%s jobs were requeued.", number),
        });
    }

    cancelRest() {
        this.confirm({
            title: _t("Cancel the Rest"),
            body: _t("%s jobs that have not started will not run. What runs goes on.", this.waiting),
            confirmLabel: _t("Cancel the Rest"),
            method: "cancel_rest",
            ids: [this.props.jobId],
            said: (number) => _t("%s jobs were cancelled.", number),
        });
    }

    confirm({ title, body, confirmLabel, method, ids, said }) {
        this.dialog.add(ConfirmationDialog, {
            title,
            body,
            confirmLabel,
            confirm: async () => {
                const number = await this.orm.call("queue.job", method, [ids]);
                this.notification.add(said(number), { type: "success" });
                await this.look();
            },
            cancel: () => {},
        });
    }
}
