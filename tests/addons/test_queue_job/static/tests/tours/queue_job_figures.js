import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("queue_job_figures", {
    steps: () => [
        {
            content: "open the menu of the queue",
            trigger: ".o_menu_sections [data-menu-xmlid='queue_job.menu_queue'], .o_menu_sections button:contains(Queue)",
            run: "click",
        },
        {
            content: "to the functions",
            trigger: ".dropdown-item[data-menu-xmlid='queue_job.menu_queue_job_function'], .dropdown-item:contains(Functions)",
            run: "click",
        },
        {
            content: "what takes most of the time comes first",
            trigger: ".o_list_view .o_data_row:first-child .o_data_cell:contains(write_value)",
            run: "click",
        },
        {
            content: "its form says how long it takes",
            trigger: ".o_form_view [name=run_p95]:contains(s)",
        },
        {
            content: "open the menu of the queue again",
            trigger: ".o_menu_sections [data-menu-xmlid='queue_job.menu_queue'], .o_menu_sections button:contains(Queue)",
            run: "click",
        },
        {
            content: "to the workers",
            trigger: ".dropdown-item[data-menu-xmlid='queue_job.menu_queue_job_node'], .dropdown-item:contains(Workers)",
            run: "click",
        },
        {
            content: "the server is there, and its runner is not",
            trigger: ".o_list_view .o_data_row:contains(here) .o_data_cell:contains(Gone)",
        },
        {
            content: "open it",
            trigger: ".o_list_view .o_data_row .o_data_cell:contains(here)",
            run: "click",
        },
        {
            content: "its form is there",
            trigger: ".o_form_view .o_form_sheet h1:contains(here)",
        },
    ],
});
