"""What campaigns are made of: groups of subscribers, notification settings, tasks."""
