import { _t } from "@web/core/l10n/translation";
import { formatSeconds } from "@queue_job/durations";
import { openJob, openRecord } from "@queue_job/places";
import { registry } from "@web/core/registry";

/** Time that a notice of success stays; one of a failure stays until it was seen. */
const STAYS_MILLISECONDS = 15_000;

/** Tells users that a long job of theirs has ended. */
export const noticeService = {
    dependencies: ["bus_service", "notification", "action"],

    start(env, { bus_service: bus, notification }) {
        const shown = { failed: null, done: null };
        bus.subscribe("queue_job.ended", (ended) => show(env, notification, ended, shown));
        bus.start();
    },
};

function text({ name, failed, seconds }, before) {
    const took = formatSeconds(seconds);
    const told = failed
        ? _t("%(name)s has failed after %(took)s.", { name, took })
        : _t("%(name)s is done; it took %(took)s.", { name, took });
    return before ? _t("%(told)s Before it: %(before)s more.", { told, before }) : told;
}

/** Show a notice instead of the one before it, which says as much of another job. */
function show(env, notification, ended, shown) {
    const kind = ended.failed ? "failed" : "done";
    const former = shown[kind];
    const before = former ? former.before + 1 : 0;
    const own = { before };
    shown[kind] = own;
    former?.close();
    const buttons = [];
    const close = notification.add(text(ended, before), {
        type: ended.failed ? "danger" : "success",
        sticky: ended.failed,
        autocloseDelay: STAYS_MILLISECONDS,
        buttons,
        onClose: () => {
            if (shown[kind] === own) {
                shown[kind] = null;
            }
        },
    });
    own.close = close;
    const add = (name, open) =>
        buttons.push({
            name,
            onClick: () => {
                close();
                return open();
            },
        });
    if (ended.record) {
        add(_t("Open Record"), () => openRecord(env, ended.record.model, ended.record.id));
    }
    if (ended.job) {
        add(_t("Open Job"), () => openJob(env, ended.job));
    }
}

registry.category("services").add("queue_job.notice", noticeService);
