"""The bugs that the machine has found, put back: each must be caught again, in the scenario that shows it alone.

The seeds are those of the runs that found them, on the machine as it was then.
"""

from mutants.mutant import NO_KERNEL_DEADLINE, Edit, Mutant

FOUND = (
    Mutant(
        "listener-kept",
        "A runner keeps what it listens to each supervisor with, and so three descriptors for each bot that ever ran. "
        "Found with seed 6, by the leaks of a runner.",
        "leaks", "many_short_stays",
        (Edit("Sources/Runner/Supervision/SupervisorHandle.swift",
              "        onEvent = nil\n", "        if !MUTANT { onEvent = nil }\n"),)),
    Mutant(
        "reason-not-given",
        "A bot that failed and gave no reason leaves a record that says none. Found with seed 1, by the fates of bots "
        "that send malformed reports.",
        "fates", "failure_without_a_reason",
        (Edit("lua/includes/bots.lua", "    reason = 'no_reason_given'\n", ""),)),
    Mutant(
        "hung-bot-kept",
        "A bot that hangs before it has joined keeps its room for as long as its lease is renewed. Found by seeds with "
        "such bots, as dispatches without a fate.",
        "fates", "bots_that_hang",
        (Edit("Sources/Runner/Leases/LeaseKeeper.swift",
              "} else if !wanted.wasInRoom, let joinDeadline", "} else if !MUTANT, !wanted.wasInRoom, let joinDeadline"),)),
    Mutant(
        "kernel-deadline-off",
        "Nobody ends a bot whose lease runs out while its runner and its supervisor stand still. Found with seeds 48 and "
        "55, by the presence of bots whose record had ended.",
        "presence", "runner_and_supervisor_paused", (NO_KERNEL_DEADLINE,)),
)
