import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { QueueJobChannels } from "./channels";

/** The channels as a screen of its own. */
export class QueueJobChannelsAction extends Component {
    static template = "queue_job.ChannelsAction";
    static components = { Layout, QueueJobChannels };
    static props = { ...standardActionServiceProps };

    get display() {
        return { controlPanel: {} };
    }
}

registry.category("actions").add("queue_job_channels", QueueJobChannelsAction);
