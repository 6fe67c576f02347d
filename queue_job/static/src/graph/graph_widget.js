import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { QueueJobGraph } from "./graph";

/**
 * The graph of a job on its form. Not a field: nothing is asked for before its page is opened.
 */
export class QueueJobGraphWidget extends Component {
    static template = "queue_job.GraphWidget";
    static components = { QueueJobGraph };
    static props = { ...standardWidgetProps };
}

registry.category("view_widgets").add("queue_job_graph", { component: QueueJobGraphWidget });
