import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";
import { formatSeconds } from "@queue_job/durations";
import { colour, label } from "@queue_job/states";
import { title } from "./graph_states";

const FIELDS = ["name", "channel", "channel_method_name", "exc_name", "wait_reason", "exec_time"];
const STOPPED = ["failed", "cancelled"];

/** What is to be known of the box that was chosen, and what can be done with it. */
export class QueueJobGraphPanel extends Component {
    static template = "queue_job.GraphPanel";
    static props = {
        box: Object,
        summary: Array,
        canOperate: Boolean,
        onOpen: Function,
        onRetry: Function,
        onClose: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ job: null });
        this.colour = colour;
        this.label = label;
        this.formatSeconds = formatSeconds;
        onWillStart(() => this.look(this.props));
        onWillUpdateProps((next) => this.isOther(next) && this.look(next));
    }

    get title() {
        return title(this.props.box);
    }

    get stopped() {
        return this.props.summary.filter(({ state }) => STOPPED.includes(state));
    }

    isOther(next) {
        const key = ({ box, summary }) => JSON.stringify([box.ids[0], box.ids.length, summary]);
        return key(next) !== key(this.props);
    }

    onKeydown(event) {
        if (event.key === "Escape") {
            event.stopPropagation();
            this.props.onClose();
        }
    }

    async look({ box }) {
        this.asked = box;
        if (box.ids.length > 1) {
            this.state.job = null;
            return;
        }
        let found = [];
        try {
            found = await this.orm.silent.read("queue.job", box.ids, FIELDS);
        } catch {
            // The drawing says that the connection is lost.
        }
        if (this.asked === box) {
            this.state.job = found[0] || null;
        }
    }
}
