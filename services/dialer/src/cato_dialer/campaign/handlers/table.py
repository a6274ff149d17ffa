"""Which handler answers which request."""

from functools import partial

from cato_contracts.api.checks import CheckTask
from cato_contracts.api.rules.approvals import ApproveRun, RejectRun
from cato_contracts.api.rules.pacing import (
    GetPacingRule,
    ListPacingRules,
    PutPacingRule,
    RemovePacingRule,
)
from cato_contracts.api.stations import ListStations
from cato_contracts.messages.campaign_commands import (
    AddNotificationSettings,
    AddSubscriberGroup,
    AddTask,
    CallTester,
    CheckSubscriberList,
    FindTasksUsingFile,
    GetNotificationSettings,
    GetSubscriberGroup,
    GetTask,
    ListNotificationSettings,
    ListSubscriberGroups,
    ListTasks,
    LocateSubscribers,
    PauseRun,
    RemoveNotificationSettings,
    RemoveSubscriberGroup,
    RemoveTask,
    RepeatUnreached,
    ReplaceNotificationSettings,
    ReplaceSubscriberGroup,
    ReplaceTask,
    ResumeRun,
    StartTask,
    StopRun,
)
from cato_contracts.messages.contact_commands import (
    GetContactLimits,
    PutContactLimits,
    RemoveContactLimits,
)
from cato_contracts.messages.exclusion_commands import (
    AddExclusionList,
    ExcludeNumber,
    GetExcludedNumber,
    GetExclusionList,
    ListExcludedNumbers,
    ListExclusionLists,
    ReadmitNumber,
    RemoveExclusionList,
)
from cato_contracts.messages.sip_traces import GetSipTrace, ListSipTraces, PutSipTrace, RemoveSipTrace
from cato_dialer.campaign.handlers import notification_settings, subscriber_groups, tasks
from cato_dialer.campaign.handlers.control_run import (
    approve_run,
    pause_run,
    reject_run,
    resume_run,
    stop_run,
)
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.exclusions import lists as exclusion_lists
from cato_dialer.campaign.handlers.exclusions import numbers as excluded_numbers
from cato_dialer.campaign.handlers.rules import contact_limits, pacing_rules, sip_traces
from cato_dialer.campaign.handlers.starts.check_task import check_task
from cato_dialer.campaign.handlers.starts.start_task import repeat_unreached, start_task, test_call
from cato_dialer.campaign.handlers.stations import list_stations
from cato_runtime.requests import HandlerTable


def handler_table(deps: Deps) -> HandlerTable:
    """Return the handler of each request."""
    return {
        AddSubscriberGroup: partial(subscriber_groups.add_subscriber_group, deps),
        ReplaceSubscriberGroup: partial(subscriber_groups.replace_subscriber_group, deps),
        CheckSubscriberList: partial(subscriber_groups.check_subscriber_list, deps),
        RemoveSubscriberGroup: partial(subscriber_groups.remove_subscriber_group, deps),
        GetSubscriberGroup: partial(subscriber_groups.get_subscriber_group, deps),
        LocateSubscribers: partial(subscriber_groups.locate_subscribers, deps),
        ListSubscriberGroups: partial(subscriber_groups.list_subscriber_groups, deps),
        AddNotificationSettings: partial(notification_settings.add_notification_settings, deps),
        ReplaceNotificationSettings: partial(notification_settings.replace_notification_settings, deps),
        RemoveNotificationSettings: partial(notification_settings.remove_notification_settings, deps),
        GetNotificationSettings: partial(notification_settings.get_notification_settings, deps),
        ListNotificationSettings: partial(notification_settings.list_notification_settings, deps),
        AddTask: partial(tasks.add_task, deps),
        ReplaceTask: partial(tasks.replace_task, deps),
        RemoveTask: partial(tasks.remove_task, deps),
        GetTask: partial(tasks.get_task, deps),
        ListTasks: partial(tasks.list_tasks, deps),
        FindTasksUsingFile: partial(tasks.find_tasks_using_file, deps),
        StartTask: partial(start_task, deps),
        CheckTask: partial(check_task, deps),
        CallTester: partial(test_call, deps),
        RepeatUnreached: partial(repeat_unreached, deps),
        PauseRun: partial(pause_run, deps),
        ResumeRun: partial(resume_run, deps),
        StopRun: partial(stop_run, deps),
        ApproveRun: partial(approve_run, deps),
        RejectRun: partial(reject_run, deps),
        AddExclusionList: partial(exclusion_lists.add_exclusion_list, deps),
        RemoveExclusionList: partial(exclusion_lists.remove_exclusion_list, deps),
        GetExclusionList: partial(exclusion_lists.get_exclusion_list, deps),
        ListExclusionLists: partial(exclusion_lists.list_exclusion_lists, deps),
        ListExcludedNumbers: partial(excluded_numbers.list_excluded_numbers, deps),
        GetExcludedNumber: partial(excluded_numbers.get_excluded_number, deps),
        ExcludeNumber: partial(excluded_numbers.exclude_number, deps),
        ReadmitNumber: partial(excluded_numbers.readmit_number, deps),
        ListStations: partial(list_stations, deps),
        PutPacingRule: partial(pacing_rules.put_pacing_rule, deps),
        RemovePacingRule: partial(pacing_rules.remove_pacing_rule, deps),
        GetPacingRule: partial(pacing_rules.get_pacing_rule, deps),
        PutContactLimits: partial(contact_limits.put_contact_limits, deps),
        RemoveContactLimits: partial(contact_limits.remove_contact_limits, deps),
        GetContactLimits: partial(contact_limits.get_contact_limits, deps),
        ListPacingRules: partial(pacing_rules.list_pacing_rules, deps),
        PutSipTrace: partial(sip_traces.put_sip_trace, deps),
        RemoveSipTrace: partial(sip_traces.remove_sip_trace, deps),
        GetSipTrace: partial(sip_traces.get_sip_trace, deps),
        ListSipTraces: partial(sip_traces.list_sip_traces, deps),
    }
