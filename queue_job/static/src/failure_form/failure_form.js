import { registry } from "@web/core/registry";
import { FormRenderer } from "@web/views/form/form_renderer";
import { formView } from "@web/views/form/form_view";
import { StatusBarButtons } from "@web/views/form/status_bar_buttons/status_bar_buttons";

/** Buttons that are seen beside the menu of the others. */
const FIRST = 3;

/** The buttons above a form: when they are many, all but the first are a menu. */
export class QueueJobFewButtons extends StatusBarButtons {
    static template = "queue_job.FewButtons";

    get first() {
        const names = this.visibleSlotNames;
        if (this.env.isSmall) {
            return names.slice(0, 1);
        }
        // A menu of one button would take as much room.
        return names.length > FIRST + 1 ? names.slice(0, FIRST) : names;
    }

    get others() {
        return this.visibleSlotNames.slice(this.first.length);
    }
}

export class QueueJobFailureFormRenderer extends FormRenderer {
    static components = { ...FormRenderer.components, StatusBarButtons: QueueJobFewButtons };
}

registry.category("views").add("queue_job_failure_form", {
    ...formView,
    Renderer: QueueJobFailureFormRenderer,
});
