import { registry } from "@web/core/registry";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { LIVE, PAUSED, useRefresh, useRefreshMode } from "@queue_job/refresh/refresh";

const LIVE_SECONDS = 10;

/**
 * Load the servers again now and then, at the pace that was chosen for the screens of the queue.
 *
 * @param {{model: Object}} controller
 */
function useWorkersRefresh(controller) {
    const chosen = useRefreshMode(() => {});

    function pace() {
        if (chosen.mode === PAUSED) {
            return 0;
        }
        return chosen.mode === LIVE ? LIVE_SECONDS : Number(chosen.mode);
    }

    async function look() {
        // What somebody has selected is not taken from under their hands.
        if (!controller.model.root.selection?.length) {
            // A server that is away is asked again; what was seen last stays.
            await controller.model.root.load().catch(() => {});
        }
    }

    useRefresh(look, pace);
}

export class WorkersListController extends ListController {
    setup() {
        super.setup();
        useWorkersRefresh(this);
    }
}

export class WorkersKanbanController extends KanbanController {
    setup() {
        super.setup();
        useWorkersRefresh(this);
    }
}

registry.category("views").add("queue_job_workers_list", {
    ...listView,
    Controller: WorkersListController,
});
registry.category("views").add("queue_job_workers_kanban", {
    ...kanbanView,
    Controller: WorkersKanbanController,
});
