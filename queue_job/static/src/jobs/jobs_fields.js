import { Component } from "@odoo/owl";
import { formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { formatSeconds } from "@queue_job/durations";
import { colour } from "@queue_job/states";

const { DateTime } = luxon;

/** The state of a job, in the colour that it has everywhere. */
export class StateField extends Component {
    static template = "queue_job.StateField";
    static props = { ...standardFieldProps };

    get state() {
        return this.props.record.data[this.props.name];
    }

    get colour() {
        return colour(this.state);
    }

    /** As the field calls it, which also knows the states that other addons add. */
    get label() {
        const { selection } = this.props.record.fields[this.props.name];
        return new Map(selection).get(this.state) || this.state;
    }
}

/** A number of seconds as people say it. */
export class SecondsField extends Component {
    static template = "queue_job.SecondsField";
    static props = { ...standardFieldProps };

    get value() {
        return this.props.record.data[this.props.name];
    }

    get text() {
        return this.value ? formatSeconds(this.value) : "";
    }

    get title() {
        return this.value ? _t("%s seconds", Number(this.value.toFixed(3))) : "";
    }
}

/** A time that will come, as what is left until then; one that has come is not worth a word. */
export class RemainingField extends SecondsField {
    get text() {
        const seconds = this.value ? this.value.diff(DateTime.now()).as("seconds") : 0;
        return seconds > 0 ? _t("in %s", formatSeconds(Math.max(1, seconds))) : "";
    }

    get title() {
        return this.value ? formatDateTime(this.value) : "";
    }
}

/** The record that a job runs on, to be opened from the list. */
export class RecordField extends Component {
    static template = "queue_job.RecordField";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
    }

    get link() {
        return this.props.record.data[this.props.name];
    }

    get reference() {
        return `${this.link.model},${this.link.id}`;
    }

    get label() {
        return _t("Open %(name)s (%(reference)s)", {
            name: this.link.name,
            reference: this.reference,
        });
    }

    get more() {
        return _t("and %s more", this.link.more);
    }

    open() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: this.link.model,
            res_id: this.link.id,
            views: [[false, "form"]],
        });
    }
}

const fields = registry.category("fields");
fields.add("queue_job_state", { component: StateField, supportedTypes: ["selection"] });
fields.add("queue_job_seconds", {
    component: SecondsField,
    supportedTypes: ["float", "integer"],
});
fields.add("queue_job_remaining", { component: RemainingField, supportedTypes: ["datetime"] });
fields.add("queue_job_record", { component: RecordField, supportedTypes: ["json"] });
