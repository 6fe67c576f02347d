import { onWillStart, useEffect, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { sprintf } from "@web/core/utils/strings";
import { X2ManyField, x2ManyField } from "@web/views/fields/x2many/x2many_field";
import { QueueJobTraceback } from "./traceback";

const MANAGERS = "queue_job.group_queue_job_manager";

/** The attempts of a job, and of one of them its traceback, which is read when it is looked at. */
export class QueueJobAttemptsField extends X2ManyField {
    static template = "queue_job.Attempts";
    static components = { ...X2ManyField.components, QueueJobTraceback };

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.last = new KeepLast();
        this.chosen = useState({ id: false, pieces: [], problem: "" });
        onWillStart(async () => {
            this.reads = await user.hasGroup(MANAGERS);
        });
        useEffect(
            (id) => {
                this.read(id);
            },
            () => [this.attempt?.resId]
        );
    }

    get attempts() {
        return this.list.records;
    }

    /** The one that was chosen, or else the last. */
    get attempt() {
        return this.attempts.find(({ resId }) => resId === this.chosen.id) || this.attempts[0];
    }

    get place() {
        return this.attempts.indexOf(this.attempt);
    }

    get title() {
        return sprintf(_t("Attempt %s"), this.attempt.data.attempt);
    }

    async openRecord(record) {
        this.chosen.id = record.resId;
    }

    /** The list has the last attempt first. */
    step(by) {
        const next = this.attempts[this.place - by];
        if (next) {
            this.chosen.id = next.resId;
        }
    }

    async read(id) {
        Object.assign(this.chosen, { pieces: [], problem: "" });
        if (!id || !this.reads) {
            return;
        }
        try {
            const asked = this.orm.silent.read(this.list.resModel, [id], ["frames"]);
            const [found] = await this.last.add(asked);
            this.chosen.pieces = found?.frames || [];
        } catch {
            this.chosen.problem = _t("The traceback could not be read.");
        }
    }
}

registry.category("fields").add("queue_job_attempts", {
    ...x2ManyField,
    component: QueueJobAttemptsField,
    displayName: _t("Attempts of a job"),
});
