"""The resources of campaigns: groups of subscribers, notification settings, tasks."""
