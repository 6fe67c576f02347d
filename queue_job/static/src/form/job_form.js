import { onWillUnmount, status, useComponent, useEffect, useExternalListener } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";

export const BEAT_MS = 2000;

/** Longest pause between two tries to reach a server that does not answer. */
const LONGEST_MS = 30000;

const ENDED = ["done", "cancelled", "failed"];

/**
 * Keep the record of a job up to date while the job goes on, its form is seen and nobody writes in it.
 *
 * What is asked for every two seconds is little; the form is read again when that has changed.
 *
 * @param {() => import("@web/model/relational_model/record").Record} getRecord
 * @param {() => boolean} isBusy whether the form is not to be touched
 */
export function usePulse(getRecord, isBusy) {
    const component = useComponent();
    const orm = useService("orm").silent;
    let timer, known, id;
    let pause = BEAT_MS;

    function goesOn(record) {
        return record.resId && !ENDED.includes(record.data.state) && !document.hidden;
    }

    function mayAsk(record) {
        return goesOn(record) && !isBusy();
    }

    async function look(record) {
        if (record.resId !== id) {
            [id, known] = [record.resId, undefined];
        }
        const told = await orm.call("queue.job", "pulse", [[record.resId]]);
        const text = JSON.stringify(told);
        const news = known === undefined ? told.state !== record.data.state : text !== known;
        known = text;
        if (news && status(component) !== "destroyed" && mayAsk(record)) {
            await record.load();
        }
    }

    async function beat() {
        const record = getRecord();
        try {
            if (mayAsk(record)) {
                await look(record);
            }
            pause = BEAT_MS;
        } catch {
            // Also when nobody answers: what is on the screen stays there.
            known = undefined;
            pause = Math.min(2 * pause, LONGEST_MS);
        }
        wait();
    }

    function wait() {
        browser.clearTimeout(timer);
        if (status(component) !== "destroyed" && goesOn(getRecord())) {
            timer = browser.setTimeout(beat, pause);
        }
    }

    // Once more for another record, and for one that was ended and goes on.
    useEffect(wait, () => [getRecord().resId, getRecord().data.state]);
    onWillUnmount(() => browser.clearTimeout(timer));
    useExternalListener(document, "visibilitychange", () => {
        if (document.hidden) {
            browser.clearTimeout(timer);
        } else {
            browser.clearTimeout(timer);
            beat();
        }
    });
}

export class QueueJobFormController extends FormController {
    setup() {
        super.setup();
        usePulse(
            () => this.model.root,
            () => this.model.root.dirty || this.formInDialog > 0 || this.isWriting
        );
    }

    /** Whether the cursor is in a field: what was typed there is not in the record yet. */
    get isWriting() {
        const { activeElement } = document;
        const within = this.rootRef.el?.contains(activeElement);
        return Boolean(within && activeElement.matches("input, textarea, [contenteditable]"));
    }
}

registry.category("views").add("queue_job_form", {
    ...formView,
    Controller: QueueJobFormController,
});
