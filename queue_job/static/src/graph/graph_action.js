import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { QueueJobGraph } from "./graph";

/** The graph of a job as a screen of its own. */
export class QueueJobGraphAction extends Component {
    static template = "queue_job.GraphAction";
    static components = { Layout, QueueJobGraph };
    static props = { ...standardActionServiceProps };

    get jobId() {
        return this.props.action.context.active_id || this.props.resId || 0;
    }

    get display() {
        return { controlPanel: {} };
    }
}

registry.category("actions").add("queue_job_graph", QueueJobGraphAction);
