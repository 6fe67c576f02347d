import { Component, onWillStart, useState } from "@odoo/owl";
import { isOperator } from "@queue_job/role";
import { useService } from "@web/core/utils/hooks";
import { ListRenderer } from "@web/views/list/list_renderer";

/**
 * What keeps every job from running, above the list of jobs; nothing when all is well, and nothing
 * for those who can do nothing about it and may not ask.
 */
export class QueueJobBanner extends Component {
    static template = "queue_job.Banner";
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.state = useState({ findings: [] });
        onWillStart(() => isOperator() && this.look());
    }

    async look() {
        this.state.findings = await this.orm.silent.call("queue.job.health", "banner", []);
    }

    async release() {
        await this.orm.call("queue.job.health", "release", []);
        await this.look();
    }
}

export class QueueJobListRenderer extends ListRenderer {
    static template = "queue_job.ListRenderer";
    static components = { ...ListRenderer.components, QueueJobBanner };
}
