import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { sprintf } from "@web/core/utils/strings";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { QueueJobCopy } from "./copy";

const BRACKETS = { list: "[ ]", tuple: "( )", set: "{ }", frozenset: "frozenset", dict: "{ }" };

/** A record in the call, which opens on a click. */
class QueueJobRecord extends Component {
    static template = "queue_job.Record";
    static props = { model: String, id: Number, text: String, title: { type: String, optional: true } };

    setup() {
        this.action = useService("action");
    }

    get href() {
        return `/odoo/${this.props.model}/${this.props.id}`;
    }

    open() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: this.props.model,
            res_id: this.props.id,
            views: [[false, "form"]],
        });
    }
}

/** A value of the call, and those in it. */
class QueueJobNode extends Component {
    static template = "queue_job.Node";
    static components = { QueueJobRecord };
    static props = { node: Object, depth: Number };

    get summary() {
        const { kind, size } = this.props.node;
        const values = size === 1 ? _t("%s value") : _t("%s values");
        return `${BRACKETS[kind]} ${sprintf(values, size)}`;
    }

    get isOpen() {
        return this.props.depth < 2;
    }

    get rest() {
        const { size, records } = this.props.node;
        return size > records.length ? sprintf(_t("and %s more"), size - records.length) : "";
    }

    recordText({ id, title }) {
        return title || `${this.props.node.model}(${id})`;
    }
}
QueueJobNode.components = { QueueJobRecord, QueueJobNode };

/** What a job calls: as Python, with its records to be opened, and its arguments as a tree. */
export class QueueJobPayloadField extends Component {
    static template = "queue_job.PayloadField";
    static components = { QueueJobCopy, QueueJobNode, QueueJobRecord };
    static props = { ...standardFieldProps };

    get payload() {
        return this.props.record.data[this.props.name] || {};
    }

    copyCall() {
        return this.payload.call.map(({ text }) => text).join("");
    }
}

registry.category("fields").add("queue_job_payload", {
    component: QueueJobPayloadField,
    displayName: _t("Call of a job"),
    supportedTypes: ["json"],
});
