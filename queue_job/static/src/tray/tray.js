import { Component, useState } from "@odoo/owl";
import { findMenu, openJob, openJobs } from "@queue_job/places";
import { formatSeconds } from "@queue_job/durations";
import { useRefresh } from "@queue_job/refresh/refresh";
import { isOperator } from "@queue_job/role";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** Pause between two looks; a hidden tab does not look at all. */
export const LOOK_SECONDS = 60;

/** Before the first one: a page that is opened has more urgent things to ask. */
export const FIRST_SECONDS = 1;

const LINKS = [
    { menu: "menu_queue_job_board", label: _t("Dashboard") },
    { menu: "menu_queue_job", label: _t("Jobs") },
    { menu: "menu_queue_job_failure", label: _t("Failures") },
    { menu: "menu_queue_job_channel", label: _t("Channels") },
];

/**
 * What operators see of the queue wherever they are: a dot when there is something to do, and, when
 * they ask, figures and their own running jobs.
 */
export class QueueJobTray extends Component {
    static template = "queue_job.Tray";
    static components = { Dropdown, DropdownItem };
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ alerts: [], details: null, lost: false });
        useRefresh(
            () => this.look(),
            () => (this.looked ? LOOK_SECONDS : FIRST_SECONDS)
        );
    }

    get title() {
        const count = this.state.alerts.length;
        return count ? _t("Job queue: %s alert(s)", count) : _t("Job queue");
    }

    get dot() {
        const serious = this.state.alerts.some((alert) => alert.level === "danger");
        return serious ? "bg-danger" : "bg-warning";
    }

    get links() {
        const found = LINKS.map((link) => ({ ...link, found: findMenu(this.env, link.menu) }));
        return found.filter((link) => link.found);
    }

    get counters() {
        const { counts } = this.state.details;
        return [
            { filter: "started", label: _t("Running"), value: `${counts.running}` },
            { filter: "pending", label: _t("Waiting"), value: this.bounded(counts.waiting) },
            { filter: "failed", label: _t("Failed, 1 h"), value: this.bounded(counts.failed, 1000) },
        ];
    }

    bounded(value, limit = this.state.details.counts.limit) {
        return value >= limit ? `${value}+` : `${value}`;
    }

    elapsed(job) {
        return job.running ? formatSeconds(job.seconds) : _t("about to start");
    }

    async look() {
        this.looked = true;
        const alerts = await this.ask("look");
        this.state.alerts = alerts || this.state.alerts;
    }

    async unfold() {
        this.state.details = null;
        const details = await this.ask("unfold");
        if (details) {
            Object.assign(this.state, { details, alerts: details.alerts });
        }
    }

    /** Ask the server; nobody is to be disturbed when it does not answer. */
    async ask(method) {
        try {
            const answer = await this.orm.silent.call("queue.job.tray", method, []);
            this.state.lost = false;
            return answer;
        } catch {
            this.state.lost = true;
            return null;
        }
    }

    openAlert(alert) {
        if (alert.target === "self_test") {
            return this.action.doAction("queue_job.action_queue_job_self_test");
        }
        return this.openJobs(alert.target);
    }

    openJobs(filter) {
        return openJobs(this.env, filter);
    }

    openMine() {
        return openJobs(this.env, "my_jobs");
    }

    openJob(job) {
        return openJob(this.env, job.id);
    }

    openLink(link) {
        return this.env.services.menu.selectMenu(link.found);
    }
}

registry.category("systray").add(
    "queue_job.tray",
    { Component: QueueJobTray, isDisplayed: isOperator },
    { sequence: 30 }
);
