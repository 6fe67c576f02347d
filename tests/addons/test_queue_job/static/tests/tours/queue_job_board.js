import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("queue_job_board", {
    steps: () => [
        {
            content: "The alert says that nothing runs, with the line to add",
            trigger: ".o_queue_job_alerts [data-kind=no_runner] .o_queue_job_remedy:contains('--load=')",
        },
        {
            content: "The tiles count",
            trigger: "[data-tile=waiting] .o_queue_job_value:contains(30)",
        },
        {
            content: "The charts are drawn",
            trigger: ".o_queue_job_chart canvas[aria-label*='40 jobs ended']",
        },
        {
            content: "Two jobs run",
            trigger: ".o_queue_job_board_running li:count(2) .o_queue_job_elapsed",
        },
        {
            content: "Look at a day",
            trigger: "[data-range='24h']",
            run: "click",
        },
        {
            content: "By function",
            trigger: "[data-range='24h'][aria-pressed=true]",
        },
        {
            content: "By function",
            trigger: ".o_queue_job_group",
            run: "select function",
        },
        {
            content: "Let nothing change",
            trigger: ".o_queue_job_refresh label:contains(Paused)",
            run: "click",
        },
        {
            content: "To the failures of a kind",
            trigger: ".o_queue_job_failures button:contains(Refused)",
            run: "click",
        },
        {
            content: "They are listed",
            trigger: ".o_list_view .o_data_row",
        },
        {
            content: "Back",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item a",
            run: "click",
        },
        {
            content: "It is still paused, and by function",
            trigger: ".o_queue_job_refresh input[value=paused]:checked",
        },
        {
            content: "To the jobs that wait",
            trigger: "[data-tile=waiting]",
            run: "click",
        },
        {
            content: "They are listed",
            trigger: ".o_list_view .o_data_row",
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_board_viewer", {
    steps: () => [
        {
            content: "A viewer is told that this is for others, and of the queue nothing",
            trigger:
                ".o_queue_job_board:not(:has(.o_queue_job_tile)):contains(for operators) button",
            run: "click",
        },
        {
            content: "Their own jobs are listed",
            trigger: ".o_list_view",
        },
        {
            content: "The menu has no dashboard",
            trigger: ".o_main_navbar:not(:contains(Dashboard))",
        },
    ],
});
