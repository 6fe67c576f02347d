import { registry } from "@web/core/registry";

const ROW = ".o_queue_job_channels tr[data-channel='root.imports.csv']";

registry.category("web_tour.tours").add("queue_job_channels_operator", {
    steps: () => [
        {
            content: "limits are read, not changed",
            trigger: `${ROW}:not(:has(.o_capacity)) .o_waiting:contains(1)`,
        },
        {
            content: "pause the channel",
            trigger: `${ROW} .o_pause_button`,
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal #queue_job_pause_reason",
            run: "edit The shop is closed",
        },
        {
            content: "for an hour",
            trigger: ".modal button:contains(1 h)",
            run: "click",
        },
        {
            content: "pause it",
            trigger: ".modal footer .btn-primary",
            run: "click",
        },
        {
            content: "it says who has paused it, until when, and why",
            trigger: `${ROW} .o_pause:contains(by queue-operator until):contains(The shop is closed)`,
        },
        {
            content: "resume it",
            trigger: `${ROW} .o_resume_button`,
            run: "click",
        },
        {
            content: "it can be paused again",
            trigger: `${ROW}:not(:has(.o_pause)) .o_pause_button`,
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_channels_manager", {
    steps: () => [
        {
            content: "find the channel",
            trigger: ".o_queue_job_channel_search",
            run: "edit csv",
        },
        {
            content: "set its capacity",
            trigger: `${ROW} .o_capacity`,
            run: "edit 3 && press Enter",
        },
        {
            content: "it is set, and in force without a limit in the file",
            trigger: `${ROW} .o_limits:contains(Set here)`,
        },
        {
            content: "and its throttle",
            trigger: `${ROW} .o_throttle`,
            run: "edit 2 && press Enter",
        },
        {
            content: "it is set",
            trigger: `${ROW} .o_limits:contains(One start in 2 s)`,
        },
        {
            content: "open its jobs",
            trigger: `${ROW} .o_jobs`,
            run: "click",
        },
        {
            content: "there is one",
            trigger: ".o_list_view .o_data_row",
        },
    ],
});
