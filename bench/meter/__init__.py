"""What is measured, and where: child processes, CPU and memory, the machine and its servers."""
