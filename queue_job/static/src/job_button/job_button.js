import { Component, useEffect, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** The jobs of a record, on its form; the form does not wait for their number. */
export class QueueJobButton extends Component {
    static template = "queue_job.JobButton";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.state = useState({ found: null });
        useEffect(
            (number) => {
                this.state.found = null;
                number && this.count(number);
            },
            () => [this.props.record.resId]
        );
    }

    get value() {
        const { found } = this.state;
        if (!found) {
            return "…";
        }
        return found.count >= found.limit ? `${found.count}+` : `${found.count}`;
    }

    get label() {
        const { failed, running } = this.state.found || {};
        if (failed) {
            return _t("Jobs, %s failed", failed);
        }
        return running ? _t("Jobs, %s running", running) : _t("Jobs");
    }

    async count(number) {
        const call = this.orm.silent.call("queue.job.button", "count_jobs", [
            this.props.record.resModel,
            number,
        ]);
        // Without an answer the button opens the list all the same.
        const found = await this.keepLast.add(call.catch(() => null));
        this.state.found = found;
    }

    async open() {
        const { resModel, resId } = this.props.record;
        const action = await this.orm.call("queue.job.button", "open_jobs", [resModel, resId]);
        return this.action.doAction(action);
    }
}

registry.category("view_widgets").add("queue_job_button", { component: QueueJobButton });
