import { _t } from "@web/core/l10n/translation";
import { Component, useState } from "@odoo/owl";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { Dialog } from "@web/core/dialog/dialog";
import { serializeDateTime } from "@web/core/l10n/dates";
import { useAutofocus } from "@web/core/utils/hooks";

const { DateTime } = luxon;

const HOURS = [1, 4, 24];

/** Why, and until when, a channel is paused. */
export class QueueJobPauseDialog extends Component {
    static template = "queue_job.PauseDialog";
    static components = { DateTimeInput, Dialog };
    static props = {
        name: String,
        hasBelow: Boolean,
        pause: Function,
        close: Function,
    };

    setup() {
        this.state = useState({ reason: "", until: false, isBusy: false });
        this.hours = HOURS;
        useAutofocus({ refName: "reason" });
    }

    get dialogTitle() {
        return _t("Pause %s", this.props.name);
    }

    setHours(hours) {
        this.state.until = DateTime.now().plus({ hours });
    }

    onKeydown(event) {
        if (event.key === "Enter" && !event.isComposing) {
            this.pause();
        }
    }

    async pause() {
        const { isBusy, reason, until } = this.state;
        if (isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            await this.props.pause(reason.trim(), until ? serializeDateTime(until) : false);
            this.props.close();
        } finally {
            this.state.isBusy = false;
        }
    }
}
