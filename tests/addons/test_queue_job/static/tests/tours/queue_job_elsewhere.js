import { registry } from "@web/core/registry";

const TRAY = "button.o_queue_job_tray";

const type = (text) => [
    {
        content: "open the palette",
        trigger: "body:not(:has(.modal))",
        run: "press control+k",
    },
    {
        content: `look for ${text}`,
        trigger: ".o_command_palette_search input",
        run: `edit ${text}`,
    },
];

registry.category("web_tour.tours").add("queue_job_elsewhere_operator", {
    steps: () => [
        {
            content: "the record says how many jobs it has, and that one failed",
            trigger: ".o_form_view .o_queue_job_button:contains(2):contains(1 failed)",
            run: "click",
        },
        {
            content: "its jobs are listed",
            trigger: ".o_list_view .o_data_row:contains(Greet the contact)",
        },
        {
            content: "no others are",
            trigger: ".o_list_view:not(:contains(Of another record)) .o_control_panel",
        },
        {
            content: "there is something to do: the dot",
            trigger: `${TRAY} .o_queue_job_tray_dot`,
        },
        {
            content: "open the menu",
            trigger: TRAY,
            run: "click",
        },
        {
            content: "it says that nothing will run",
            trigger: ".o_queue_job_tray_alert:contains(no runner is connected)",
        },
        {
            content: "and how far the own job is",
            trigger: ".o_queue_job_tray_mine:contains(3 / 4 customers) [role=progressbar]",
        },
        {
            content: "the failures lead to the list of them",
            trigger: ".o_queue_job_tray_alert:contains('failed in the last hour')",
            run: "click",
        },
        {
            content: "which is filtered",
            trigger: ".o_facet_values:contains(Failed)",
        },
        ...type("pause channel"),
        {
            content: "it is a command",
            trigger: ".o_command:contains('Pause channel')",
            run: "click",
        },
        {
            content: "that asks which",
            trigger: ".modal .o_field_widget[name=channel_ids]",
        },
        {
            content: "leave it",
            trigger: ".modal footer button:contains(Discard)",
            run: "click",
        },
        ...type("self-test"),
        {
            content: "it is a command",
            trigger: ".o_command:contains('Self-Test')",
            run: "click",
        },
        {
            content: "that says what is wrong",
            trigger: ".modal .alert-danger:contains('no runner is connected')",
        },
        {
            content: "close it",
            trigger: ".modal footer button:contains(Close)",
            run: "click",
        },
        {
            content: "back",
            trigger: "body:not(:has(.modal)) .o_list_view",
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_elsewhere_viewer", {
    steps: () => [
        {
            content: "the record has one job that the viewer sees",
            trigger: ".o_form_view .o_queue_job_button .o_stat_value:contains(1)",
            run: "click",
        },
        {
            content: "it is listed",
            trigger: ".o_list_view .o_data_row:contains(Of the viewer)",
        },
        {
            content: "nothing of operators is there",
            trigger: `.o_main_navbar:not(:has(${TRAY}))`,
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_elsewhere_stranger", {
    steps: () => [
        {
            content: "somebody without a role has neither the button nor the item",
            trigger: `body:not(:has(.o_queue_job_button)):not(:has(${TRAY})) .o_form_view .o_field_widget[name=name]`,
        },
    ],
});

const favourite = (name) => [
    {
        content: "open the search menu",
        trigger: ".o_searchview_dropdown_toggler",
        run: "click",
    },
    {
        content: `choose ${name}`,
        trigger: `.o_favorite_menu .o_menu_item:contains(${name})`,
        run: "click",
    },
    {
        content: "it is applied",
        trigger: `.o_facet_values:contains(${name})`,
    },
    {
        content: "close the menu",
        trigger: ".o_searchview_dropdown_toggler",
        run: "click",
    },
];

registry.category("web_tour.tours").add("queue_job_analysis", {
    steps: () => [
        {
            content: "a graph of the last week",
            trigger: ".o_graph_view .o_graph_canvas_container canvas",
        },
        {
            content: "its filter",
            trigger: ".o_facet_values:contains(Last 7 Days)",
        },
        ...favourite("Wait by Hour"),
        ...favourite("Failure Rate by Function"),
        {
            content: "the same as a table",
            trigger: ".o_switch_view.o_pivot",
            run: "click",
        },
        {
            content: "one in a hundred failed",
            trigger: ".o_pivot td:contains(1.00)",
        },
        {
            content: "and as rows",
            trigger: ".o_switch_view.o_list",
            run: "click",
        },
        {
            content: "rows",
            trigger: ".o_list_view .o_group_header:contains(a), .o_list_view .o_data_row",
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_scheduled", {
    steps: () => [
        {
            content: "jobs of the future in a calendar",
            trigger: ".o_calendar_view .fc-event:contains(Later)",
        },
        {
            content: "and as a list",
            trigger: ".o_switch_view.o_list",
            run: "click",
        },
        {
            content: "in which those that are ready are not",
            trigger: ".o_list_view:not(:contains(At once)) .o_data_row:contains(Later)",
        },
    ],
});

registry.category("web_tour.tours").add("queue_job_settings", {
    steps: () => [
        {
            content: "the queue's own page of the settings",
            trigger: ".app_settings_block[data-key=queue_job] [id=queue_job_notice]",
        },
        {
            content: "tell of longer jobs only",
            trigger: "[name=queue_job_notice_seconds] input",
            run: "edit 90 && press Tab",
        },
        {
            content: "show jobs on contacts",
            trigger: "[name=queue_job_button_model_ids] input",
            run: "edit Contact",
        },
        {
            content: "choose them",
            trigger: ".o-autocomplete--dropdown-item:contains(/^Contact$/)",
            run: "click",
        },
        {
            content: "save",
            trigger: "button.o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "it is there after the page was loaded again",
            trigger: "[name=queue_job_button_model_ids] .o_tag:contains(Contact)",
        },
    ],
});
