import { Component, onMounted, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { jobsDomain } from "../channels/channel_rows";
import { QueueJobPauseDialog } from "../channels/pause_dialog";
import { formatSeconds } from "../durations";
import { LIVE, PAUSED, RefreshControl, useRefresh, useRefreshMode } from "../refresh/refresh";
import { BoardChart } from "./board_chart";
import { boardCharts, shortName, timeLabels } from "./charts";
import { Feed } from "./feed";

const { DateTime } = luxon;

const TOPIC = "queue_job.board";
const OPERATOR = "queue_job.group_queue_job_operator";

/** Seconds; the server counts on ``watch``, and on there being silence only when there is nobody. */
export const PACE = {
    /** After which a dashboard that is told what is new reads the rest again. */
    told: 10,
    /** Between two reads of one that is told nothing. */
    asking: 5,
    /** After which it reads early because figures have changed. */
    early: 3,
    /** Between two signs that somebody looks. */
    watch: 20,
    /** Without a message, after which it asks by itself: twice as long as the queue is silent. */
    silence: 12,
};

export const RANGES = [
    { key: "15m", label: _t("15 min") },
    { key: "1h", label: _t("1 h") },
    { key: "6h", label: _t("6 h") },
    { key: "24h", label: _t("24 h") },
    { key: "7d", label: _t("7 d") },
];

export const GROUPS = [
    { key: "state", label: _t("By state") },
    { key: "channel", label: _t("By channel") },
    { key: "function", label: _t("By function") },
];

function remembered(name, choices, fallback) {
    const stored = browser.localStorage.getItem(`queue_job.board.${name}`);
    return choices.some(({ key }) => key === stored) ? stored : fallback;
}

/** What the queue does, what needs somebody, and where to go from there. */
export class QueueJobDashboard extends Component {
    static template = "queue_job.Dashboard";
    static components = { Layout, RefreshControl, BoardChart };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.bus = useService("bus_service");
        this.ranges = RANGES;
        this.groups = GROUPS;
        this.formatSeconds = formatSeconds;
        this.shortName = shortName;
        this.display = { controlPanel: {} };
        this.feed = new Feed(PACE.silence);
        this.state = useState({
            data: null,
            counts: {},
            span: remembered("span", RANGES, "1h"),
            group: remembered("group", GROUPS, "state"),
            summary: "",
            allowed: true,
            failed: false,
            live: false,
            age: 0,
        });
        this.refreshMode = useRefreshMode(() => this.onMode());
        this.refresh = useRefresh(
            () => this.load(),
            () => this.pause
        );
        this.watching = useRefresh(
            () => this.watch(),
            () => (this.isLive ? PACE.watch : 0)
        );
        useRefresh(
            () => this.tick(),
            () => (this.isPaused ? 0 : 1)
        );
        onWillStart(() => this.start());
        this.listen();
    }

    async start() {
        this.state.allowed = await user.hasGroup(OPERATOR);
        if (this.state.allowed) {
            await this.load();
        }
    }

    // Reading

    get isLive() {
        return this.state.allowed && this.refreshMode.mode === LIVE;
    }

    get isPaused() {
        return !this.state.allowed || this.refreshMode.mode === PAUSED;
    }

    get isHidden() {
        return document.visibilityState === "hidden";
    }

    /** Seconds between two reads; 0 for none. */
    get pause() {
        if (this.isPaused) {
            return 0;
        }
        if (!this.isLive) {
            return Number(this.refreshMode.mode);
        }
        return this.feed.isLive(Date.now()) ? PACE.told : PACE.asking;
    }

    async load() {
        const asked = [this.state.span, this.state.group];
        try {
            const data = await this.orm.silent.call("queue.job.board", "snapshot", asked);
            this.show(data);
        } catch (error) {
            if (!this.state.data) {
                throw error;
            }
            // Asked again in a while: a dialog every few seconds helps nobody.
            this.state.failed = true;
        }
    }

    show(data) {
        this.feed.sync(data.seq);
        this.loaded = Date.now();
        this.state.data = data;
        this.state.counts = data.counts;
        this.state.failed = false;
        this.tick();
        this.say();
    }

    /** Let time pass on the screen: how long jobs run, and whether messages still come. */
    tick() {
        this.state.age = (Date.now() - this.loaded) / 1000;
        const live = this.isLive && this.feed.isLive(Date.now());
        if (live !== this.state.live) {
            this.state.live = live;
            this.refresh.restart();
        }
    }

    /** What a screen reader says, when it has changed. */
    say() {
        const { waiting, running, failed } = this.state.counts;
        this.state.summary = _t(
            "%(waiting)s waiting, %(running)s running, %(failed)s failed in 24 hours, %(alerts)s alerts",
            { waiting, running, failed, alerts: this.state.data.alerts.length }
        );
    }

    // Being told

    listen() {
        const receive = (message) => this.receive(message);
        const lost = () => this.onLost();
        const back = () => this.onBack();
        onMounted(() => {
            if (!this.state.allowed) {
                return;
            }
            this.bus.subscribe(TOPIC, receive);
            this.bus.addChannel(TOPIC);
            this.bus.addEventListener("BUS:DISCONNECT", lost);
            this.bus.addEventListener("BUS:RECONNECT", back);
            if (this.isLive) {
                this.watching.refresh();
            }
        });
        onWillUnmount(() => {
            this.bus.unsubscribe(TOPIC, receive);
            this.bus.deleteChannel(TOPIC);
            this.bus.removeEventListener("BUS:DISCONNECT", lost);
            this.bus.removeEventListener("BUS:RECONNECT", back);
        });
    }

    async watch() {
        try {
            await this.orm.silent.call("queue.job.board", "watch", []);
        } catch {
            // Then nothing is told, and it asks.
            this.feed.lose();
        }
    }

    receive({ seq, counts }) {
        if (!this.isLive || this.isHidden || !this.state.data) {
            return;
        }
        const found = this.feed.receive(seq, Date.now());
        if (found === "old") {
            return;
        }
        const changed = ["waiting", "running", "failed"].some(
            (key) => counts[key] !== this.state.data.counts[key]
        );
        this.state.counts = counts;
        const early = changed && Date.now() - this.loaded > PACE.early * 1000;
        if (found === "gap" || early) {
            // Something was missed, or the lists have grown old.
            this.refresh.refresh();
        }
        this.tick();
    }

    onLost() {
        this.feed.lose();
        this.tick();
        this.refresh.restart();
    }

    onBack() {
        this.feed.lose();
        if (this.isLive && !this.isHidden) {
            this.refresh.refresh();
        }
    }

    onMode() {
        this.feed.lose();
        this.refresh.restart();
        this.watching.restart();
        if (this.isLive) {
            this.watching.refresh();
        }
        if (!this.isPaused) {
            this.refresh.refresh();
        }
        this.state.live = false;
    }

    // What is chosen

    choose(name, key) {
        this.state[name] = key;
        browser.localStorage.setItem(`queue_job.board.${name}`, key);
        return this.refresh.refresh();
    }

    // What is shown

    get charts() {
        return boardCharts(this.state.data.series, this.state.counts.limit);
    }

    get labels() {
        return timeLabels(this.state.data.series);
    }

    /** A number, or that there are more than were counted. */
    count(key) {
        const { counts } = this.state;
        const more = counts[key] >= counts.limit ? "+" : "";
        return counts[key].toLocaleString() + more;
    }

    get tiles() {
        const { counts } = this.state;
        return [
            { key: "waiting", label: _t("Waiting"), value: this.count("waiting"), icon: "fa-inbox" },
            {
                key: "scheduled",
                label: _t("Scheduled"),
                value: this.count("scheduled"),
                icon: "fa-clock-o",
            },
            {
                key: "parents",
                label: _t("Wait for others"),
                value: this.count("parents"),
                icon: "fa-sitemap",
            },
            {
                key: "running",
                label: _t("Running"),
                value: counts.running.toLocaleString(),
                of: counts.capacity.toLocaleString(),
                icon: "fa-cog",
            },
            {
                key: "failed",
                label: _t("Failed in 24 h"),
                value: counts.failed.toLocaleString(),
                icon: "fa-exclamation-triangle",
                colour: counts.failed ? "text-danger" : "",
            },
            {
                key: "rate",
                label: _t("Done per minute"),
                value: Math.round(counts.rate).toLocaleString(),
                icon: "fa-tachometer",
            },
            {
                key: "oldest",
                label: _t("Oldest waiting"),
                value: counts.waiting ? formatSeconds(counts.oldest) : "–",
                icon: "fa-hourglass-half",
            },
        ];
    }

    elapsed(job) {
        return formatSeconds(Math.round(job.seconds + this.state.age));
    }

    ago(seconds) {
        return DateTime.fromSeconds(seconds).toRelative();
    }

    share(channel) {
        return channel.capacity ? Math.min(100, (100 * channel.running) / channel.capacity) : 0;
    }

    depth(channel) {
        return Math.min(4, channel.name.split(".").length - 1);
    }

    get isAllPaused() {
        return this.state.data.channels.some(({ name, paused }) => name === "root" && paused);
    }

    // Where to go from here

    openTile(key) {
        // Pending alone implies none of the partial indexes.
        const pending = [
            ["is_live", "=", true],
            ["state", "=", "pending"],
        ];
        const ready = [...pending, ["scheduled", "=", false]];
        const day = DateTime.utc().minus({ days: 1 }).toFormat("yyyy-MM-dd HH:mm:ss");
        const domains = {
            waiting: ready,
            oldest: ready,
            scheduled: [...pending, ["scheduled", "=", true]],
            parents: [["state", "=", "wait_dependencies"]],
            running: [["state", "in", ["enqueued", "started"]]],
            failed: [
                ["state", "=", "failed"],
                ["date_started", ">=", day],
            ],
            rate: [["state", "=", "done"]],
        };
        return this.openJobs(this.tiles.find((tile) => tile.key === key).label, domains[key]);
    }

    openChannel({ name }) {
        return this.openJobs(shortName(name), jobsDomain(name));
    }

    openJobs(name, domain) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: "queue.job",
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain,
        });
    }

    openJob(job) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "queue.job",
            res_id: job.id,
            views: [[false, "form"]],
        });
    }

    open(action) {
        return this.action.doAction(action);
    }

    // Steering

    pauseAll() {
        this.dialog.add(QueueJobPauseDialog, {
            name: "root",
            hasBelow: true,
            pause: (reason, until) => this.steer("action_pause", { reason, until }),
        });
    }

    async steer(method, values = {}) {
        await this.orm.call("queue.job.channel", method, [[this.state.data.root]], values);
        await this.refresh.refresh();
    }

    resumeAll() {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Resume all jobs"),
            body: _t("Jobs of all channels will start again, but for channels that are paused by themselves."),
            confirmLabel: _t("Resume"),
            confirm: () => this.steer("action_resume"),
            cancel: () => {},
        });
    }
}

registry.category("actions").add("queue_job_dashboard", QueueJobDashboard);
