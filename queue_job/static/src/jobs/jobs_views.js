import { registry } from "@web/core/registry";
import { SearchPanel } from "@web/search/search_panel/search_panel";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { MultiRecordViewButton } from "@web/views/view_button/multi_record_view_button";
import { QueueJobListRenderer } from "@queue_job/banner/banner";

/**
 * Which jobs are chosen, as a domain: those that are ticked, or all that match the filter. Their ids
 * would be cut off at some number.
 *
 * @param {Object} list root of the model of the list
 * @returns {Array}
 */
export function chosenDomain(list) {
    if (list.isDomainSelected) {
        return list.domain;
    }
    return [["id", "in", list.selection.map((record) => record.resId)]];
}

/** A button above the list, for the chosen jobs; it sends which they are and not each of them. */
export class ChosenJobsButton extends MultiRecordViewButton {
    async onClick(ev, newWindow) {
        const { clickParams, list } = this.props;
        if (clickParams.type !== "action") {
            return super.onClick(ev, newWindow);
        }
        const buttonContext = { default_domain: JSON.stringify(chosenDomain(list)) };
        const resIds = list.isDomainSelected ? [] : list.selection.map((record) => record.resId);
        this.env.onClickViewButton({
            clickParams: { ...clickParams, buttonContext },
            getResParams: () => ({
                context: list.context,
                evalContext: list.evalContext,
                resModel: list.resModel,
                resIds,
            }),
            newWindow,
        });
    }
}

export class QueueJobListController extends ListController {
    static components = { ...ListController.components, MultiRecordViewButton: ChosenJobsButton };
}

/** Counts of what is live, which end at some number. */
export class QueueJobSearchPanel extends SearchPanel {
    static subTemplates = { ...SearchPanel.subTemplates, category: "queue_job.SearchPanel.Category" };
}

registry.category("views").add("queue_job_list", {
    ...listView,
    Controller: QueueJobListController,
    Renderer: QueueJobListRenderer,
    SearchPanel: QueueJobSearchPanel,
});

registry.category("views").add("queue_job_kanban", {
    ...kanbanView,
    SearchPanel: QueueJobSearchPanel,
});
