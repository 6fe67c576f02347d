import { _t } from "@web/core/l10n/translation";
import { Component, markRaw, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { useService } from "@web/core/utils/hooks";
import { formatInteger } from "@web/views/fields/formatters";
import { formatSeconds } from "@queue_job/durations";
import { LIVE, PAUSED, RefreshControl, useRefresh, useRefreshMode } from "@queue_job/refresh/refresh";
import { bars, isBelow, jobsDomain, parents, shortName, uncounted, visible } from "./channel_rows";
import { QueueJobPauseDialog } from "./pause_dialog";

const MODEL = "queue.job.channel";

const LIVE_SECONDS = 3;

/** Seconds after which the runner has put a change in force, and the screen looks again. */
const APPLIED_SECONDS = 1;

/** What screen readers say of the parts of a row. */
const LABELS = {
    below: (name) => _t("What is below %s", name),
    running: (name) => _t("Running in %s", name),
    capacity: (name) => _t("Capacity of %s", name),
    throttle: (name) => _t("Throttle of %s", name),
    jobs: (name) => _t("Jobs of %s", name),
    pause: (name) => _t("Pause %s", name),
    resume: (name) => _t("Resume %s", name),
};

/** The tree of channels with what goes on in each, and what steers it. */
export class QueueJobChannels extends Component {
    static template = "queue_job.Channels";
    static components = { RefreshControl };
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        Object.assign(this, { bars, formatInteger, formatSeconds, shortName });
        this.folded = useState(new Set());
        this.state = useState({ overview: null, text: "", isLost: false, problem: "" });
        this.mode = useRefreshMode(() => this.onMode());
        this.refresh = useRefresh(
            () => this.look(),
            () => this.pace
        );
        onWillStart(() => this.look());
        onWillUnmount(() => browser.clearTimeout(this.soon));
    }

    // What is there

    get pace() {
        const { mode } = this.mode;
        if (mode === PAUSED || this.isEdited) {
            return 0;
        }
        return mode === LIVE ? LIVE_SECONDS : Number(mode);
    }

    get rows() {
        const { overview, text } = this.state;
        return overview ? visible(overview.channels, this.folded, text) : [];
    }

    label(part, row) {
        return LABELS[part](row.name);
    }

    onMode() {
        this.refresh.restart();
        if (this.pace) {
            this.refresh.refresh();
        }
    }

    async look() {
        let overview = null;
        try {
            overview = await this.orm.silent.call(MODEL, "overview", []);
            Object.assign(this.state, { isLost: false, problem: "" });
        } catch (error) {
            Object.assign(this.state, { isLost: true, problem: error.data?.message || "" });
        }
        // What somebody types is not taken from under their hands.
        if (overview && !this.isEdited) {
            this.take(overview);
        }
    }

    take(overview) {
        this.uncounted = uncounted(overview.channels, overview.limit);
        this.parents = parents(overview.channels);
        this.state.overview = markRaw(overview);
    }

    waitingText(row) {
        return `${formatInteger(row.waiting)}${this.uncounted.has(row.name) ? "+" : ""}`;
    }

    share(row) {
        return Math.min(100, Math.round((100 * row.running) / row.capacity));
    }

    rateText({ rate }) {
        return `${rate < 10 ? Number(rate.toFixed(1)) : Math.round(rate)}`;
    }

    /** Who has paused a channel, and until when, in words. */
    pauseText({ by, reason, until, is_configured: isConfigured }) {
        if (isConfigured) {
            return _t("by the configuration of the server");
        }
        const parts = [by && _t("by %s", by)];
        parts.push(until && _t("until %s", formatDateTime(deserializeDateTime(until))));
        const text = parts.filter(Boolean).join(" ");
        return reason ? `${text}: ${reason}` : text;
    }

    fold(name) {
        if (!this.folded.delete(name)) {
            this.folded.add(name);
        }
    }

    // Going elsewhere

    openJobs(row) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Jobs of %s", row.name),
            res_model: "queue.job",
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain: jobsDomain(row.name),
        });
    }

    openRecord(id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: MODEL,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    openRecords() {
        return this.action.doAction("queue_job.action_queue_job_channel");
    }

    // Steering

    pause(row) {
        this.dialog.add(QueueJobPauseDialog, {
            name: row.name,
            hasBelow: this.parents.has(row.name),
            pause: async (reason, until) => {
                await this.steer([row.name], "action_pause", reason, until);
            },
        });
    }

    resume(row) {
        const below = this.state.overview.channels.filter(
            (other) => isBelow(other.name, row.name) && other.pause && !other.pause.is_configured
        );
        if (!below.length) {
            return this.steer([row.name], "action_resume");
        }
        this.dialog.add(ConfirmationDialog, {
            title: _t("Resume %s", row.name),
            body: _t(
                "Channels below it are paused by themselves: %s. Resume them as well?",
                below.map(({ name }) => name).join(", ")
            ),
            confirmLabel: _t("Resume All"),
            confirm: () => this.steer([row, ...below].map(({ name }) => name), "action_resume"),
            cancelLabel: _t("Only %s", row.name),
            cancel: () => this.steer([row.name], "action_resume"),
            dismiss: () => {},
        });
    }

    create() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("New Channel"),
            res_model: MODEL,
            views: [[false, "form"]],
        });
    }

    async steer(names, method, ...args) {
        const ids = await this.orm.call(MODEL, "for_names", [names]);
        await this.orm.call(MODEL, method, [ids, ...args]);
        await this.lookSoon();
    }

    /** Look now, and when the runner has put the change in force. */
    async lookSoon() {
        await this.refresh.refresh();
        if (this.state.overview?.has_leader && !this.state.overview.is_applied) {
            browser.clearTimeout(this.soon);
            this.soon = browser.setTimeout(() => this.refresh.refresh(), APPLIED_SECONDS * 1000);
        }
    }

    // Limits

    onFocus() {
        this.isEdited = true;
        this.refresh.restart();
    }

    onBlur() {
        this.isEdited = false;
        this.refresh.restart();
    }

    onKeydown(event, value) {
        if (event.key === "Escape") {
            event.target.value = value || "";
        }
        if (["Enter", "Escape"].includes(event.key)) {
            event.target.blur();
        }
    }

    async onLimit(event, row, field, value) {
        const wanted = Number(event.target.value);
        if (wanted === value) {
            return;
        }
        try {
            const [id] = await this.orm.call(MODEL, "for_names", [[row.name]]);
            await this.orm.write(MODEL, [id], { [field]: wanted });
        } catch (error) {
            event.target.value = value || "";
            throw error;
        }
        await this.lookSoon();
    }
}
