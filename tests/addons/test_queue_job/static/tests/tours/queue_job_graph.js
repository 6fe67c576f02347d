import { registry } from "@web/core/registry";

const NODE = ".o_queue_job_graph_canvas .o_queue_job_node";

const node = (name, state) => `${NODE}[aria-label='${name}: 1 ${state}']`;

registry.category("web_tour.tours").add("queue_job_graph_operator", {
    steps: () => [
        {
            content: "the page of dependencies draws the graph",
            trigger: ".o_notebook .nav-link[name=dependencies]",
            run: "click",
        },
        {
            content: "the failed job is drawn as such",
            trigger: `.o_form_view ${node("Check it", "Failed")}`,
        },
        {
            content: "the smart button opens the drawing on a screen of its own",
            trigger: ".o_form_view button[name=open_graph_jobs]",
            run: "click",
        },
        {
            content: "choose the failed job",
            trigger: `.o_queue_job_graph_full ${node("Check it", "Failed")} .o_frame`,
            run: "click",
        },
        {
            content: "retry its branch",
            trigger: ".o_queue_job_graph_panel .o_queue_job_graph_retry_branch",
            run: "click",
        },
        {
            content: "it has to be confirmed",
            trigger: ".modal:contains(1 failed jobs) .btn-primary",
            run: "click",
        },
        {
            content: "it waits for its turn, what was cancelled below waits for it",
            trigger: `body:has(${node("Check it", "Pending")}) ${node("Report", "Wait Dependencies")}`,
        },
        {
            content: "cancel what has not started",
            trigger: ".o_queue_job_graph_cancel",
            run: "click",
        },
        {
            content: "it has to be confirmed",
            trigger: ".modal .btn-primary",
            run: "click",
        },
        {
            content: "it is cancelled",
            trigger: node("Report", "Cancelled"),
        },
        {
            content: "the keyboard opens a job",
            trigger: node("Report", "Cancelled"),
            async run(helpers) {
                this.anchor.focus();
                await helpers.press("Enter");
            },
        },
        {
            content: "it is the one",
            trigger: ".o_form_view h1:contains(Report)",
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_graph_viewer", {
    steps: () => [
        {
            content: "a viewer sees the graph of their jobs",
            trigger: ".o_notebook .nav-link[name=dependencies]",
            run: "click",
        },
        {
            content: "and has nothing to steer it with",
            trigger: `.o_queue_job_graph:not(:has(.o_queue_job_graph_retry, .o_queue_job_graph_cancel)) ${node("Check it", "Failed")} .o_frame`,
            run: "click",
        },
        {
            content: "nor has the panel",
            trigger: ".o_queue_job_graph_panel:not(:has(.o_queue_job_graph_retry_branch))",
        },
        {
            content: "the same as a list",
            trigger: ".o_queue_job_graph_as_list",
            run: "click",
        },
        {
            content: "it says what waits for what",
            trigger: ".o_queue_job_graph_list tr:contains(Report):contains(Write orders)",
        },
    ],
});
