"""Binary decision trees as flat arrays, and the kernel that runs them: shared by all formats that have trees."""
