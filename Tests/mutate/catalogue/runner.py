"""Mutants of Runner."""

from mutant import Mutant

SUPERVISOR = "Runner/Supervision/Supervisor.swift"
KEEPER = "Runner/Leases/LeaseKeeper.swift"
TIMING = "Runner/Leases/LeaseTiming.swift"
READER = "Runner/Dispatches/DispatchReader.swift"
MESSAGES = "Runner/Supervision/SupervisorMessages.swift"
BOTS = "Runner/Runner+Bots.swift"
USERS = "Runner/BotUsers.swift"
TAIL = "Runner/Supervision/OutputTail.swift"
SUPERVISING = ("SupervisorTests",)

RUNNER = (
    Mutant("a later end puts off a kill", SUPERVISOR, "killTime = «min(killTime ?? time, time)»", "time", SUPERVISING),
    Mutant("a later end cannot bring a kill forward", SUPERVISOR, "killTime = «min(killTime ?? time, time)»",
           "killTime ?? time", SUPERVISING),
    Mutant("the supervisor leaves the deadline to the kernel", SUPERVISOR, "if let deadline, «deadline <= now» {",
           "false", SUPERVISING),
    Mutant("the supervisor does not wake up for the deadline", SUPERVISOR, "for time in «[deadline, killTime]» {",
           "[killTime]", SUPERVISING),
    Mutant("the kernel ends a supervisor that works", SUPERVISOR, "kernelDeadline.set(nil)", "", SUPERVISING,
           is_statement=True),
    Mutant("the kernel keeps no deadline", "Runner/Supervision/KernelDeadline.swift",
           "timer_settime(timer, Int32(TIMER_ABSTIME), &setting, nil)", "", SUPERVISING, is_statement=True),
    Mutant("a program is started after its deadline", SUPERVISOR, "guard «deadline > .now()» else {", "true",
           SUPERVISING),
    Mutant("what left the program's group lives on", SUPERVISOR,
           "for child in ProcessTable.children() ?? [] { kill(child, SIGKILL) }", "", SUPERVISING, is_statement=True),
    Mutant("a program outlives its runner", SUPERVISOR, "guard «takeCommands()» else { return abandon() }",
           "takeCommands() || true", SUPERVISING),
    Mutant("signals to everybody end the supervisor", SUPERVISOR,
           "for number in «[SIGINT, SIGTERM, SIGHUP, SIGPIPE]»", "[SIGPIPE]", SUPERVISING),
    Mutant("a kill needs no grace", SUPERVISOR, "if «grace > 0» { process?.signalGroup(SIGTERM) }", "false",
           SUPERVISING),
    Mutant("the clean-up is left out", SUPERVISOR, "guard «!program.cleanUp.isEmpty» else { return }", "false",
           SUPERVISING),

    Mutant("a supervisor that does not answer keeps its lease", KEEPER, "} else if «lease.isConfirmed» {", "true",
           ("LeaseKeeperTests",)),
    Mutant("a deadline counts from the answer", KEEPER, "timing.deadline(renewedAt: renewal.sentAt)",
           "timing.deadline(renewedAt: now)", ("LeaseKeeperTests",)),
    Mutant("a lease that is over is renewed", KEEPER, "if «lease.deadline <= now» {", "false", ("LeaseKeeperTests",)),
    Mutant("renewals are without bound", KEEPER, "bots.prefix(«Self.maximumBotsPerRenewal»)", "Int.max",
           ("LeaseKeeperTests",)),
    Mutant("a bot in the room is ended as soon as it is to leave", KEEPER, "guard «lease.wasInRoom» else", "false",
           ("LeaseKeeperTests",)),
    Mutant("a bot that never comes in holds its room", KEEPER,
           "let joinDeadline = leases[bot]?.joinDeadline, «joinDeadline <= now»", "false", ("LeaseKeeperTests",)),
    Mutant("a leave is said once", KEEPER, "if wanted.leaves || «leases[bot]?.isLeaving == true» {", "false",
           ("LeaseKeeperTests",)),
    Mutant("a supervisor that is late is left alone", KEEPER, "if !lease.isOverdue, «overdueTime(lease) <= now» {",
           "false", ("LeaseKeeperTests",)),
    Mutant("deadlines have no margin", TIMING, "timeToLive - margin", "timeToLive", ("LeaseKeeperTests",)),

    Mutant("what was given out and never arrived is forgotten", READER,
           "// Redis may have given out entries that never arrived; or it has lost streams and groups.\n"
           "            «hasLostAnswer = true»", "", ("DispatchReaderTests",), is_statement=True),
    Mutant("more is kept than was asked for", READER, "Array(wanted.prefix(«count»))", ".max", ("DispatchReaderTests",)),
    Mutant("what is too much is not given back", READER, "giveBack(Array(wanted.dropFirst(«count»)))", ".max",
           ("DispatchReaderTests",)),
    Mutant("what dead runners left is not taken over", READER, "guard «nextTakeover <= client.loop.now» else", "false",
           ("DispatchTests",)),
    Mutant("an entry in a foreign partition is a dispatch", READER,
           "«entry.place.partition == partition»,", "true", ("DispatchReaderTests",)),
    Mutant("groups that are lost are not made anew", READER,
           "if case .refused = error { hasGroups = false }", "", ("DispatchTests",), is_statement=True),

    Mutant("a passcode in a bot's output is shown", BOTS,
           "«meeting.fields[\"passcode\"]», configuration.transcription?.token", "nil",
           ("test_runner_faults.py -k test_a_bot_crashes",)),
    Mutant("a bot whose supervisor is lost is said to have ended at once", BOTS,
           "else if «isGroupGone && killed.isEmpty && bot.controlGroup?.isEmpty != false» {", "true", ("EndingTests", "StopTests"),
           equivalent="What is killed ends at once, unless the kernel takes its time, which no test can have it do."),
    Mutant("a bot is started though its runner stops", BOTS, "guard «!isStopping», BootTime.now() < deadline", "true",
           ("DispatchTests", "StopTests", "EndingTests")),
    Mutant("a second end of a bot is told too", BOTS, "guard «!bot.hasEnded» else { return }", "true",
           ("EndingTests",), equivalent="A supervisor tells of one end; the guard is for a later change."),

    Mutant("a frame of any length is waited for", MESSAGES, "guard «length <= SupervisorFrame.maximumBytes» else",
           "true", ("SupervisorMessagesTests",)),
    Mutant("more words than there are", MESSAGES, "4 + words + cleanUp <= texts.count", "true",
           ("SupervisorMessagesTests",)),
    Mutant("a grace below zero", MESSAGES, "«grace >= 0» else { throw Malformed() }", "true",
           ("SupervisorMessagesTests",)),
    Mutant("the first bytes of the output are kept", TAIL, "bytes.removeFirst(bytes.count - kept)",
           "bytes.removeLast(bytes.count - kept)", ("OutputTailTests", "SupervisorTests"), is_statement=True),
    Mutant("what may be the end of a secret is shown where the output was cut", TAIL, "wasCut = true", "",
           ("OutputTailTests", "SecretMaskTests"), is_statement=True),
    Mutant("a secret that has an end to come is shown", "Runner/Supervision/SecretMask.swift",
           "min(form.count, left)", "form.count > left ? 0 : form.count", ("OutputTailTests", "SecretMaskTests")),
    Mutant("broken UTF-8 makes the tail too long", TAIL,
           "while text.utf8.count > Self.maximumBytes { text.removeFirst() }", "", ("OutputTailTests",),
           is_statement=True),

    Mutant("a machine that is short of something takes the next dispatch at once", BOTS,
           "if «end.status == .exited(code: Self.shortageExitCode)», !leases", "false", ("EndingTests",)),
    Mutant("a lost user of a bot is not made again", USERS, "if «missing.isEmpty» {", "true",
           ("test_bot_users.py -k lost",)),
    Mutant("users that are there are asked for again and again", USERS, "«reaching != reached» || nextRestoring <= now",
           "true", ("BotUsersTests",)),
    Mutant("the users of bots that run are leftovers too", "Usher/Bots/Bots.swift",
           "guard let endedAt = fields[1].string.flatMap({ Int($0) }) else { return «nil» }", "bot.id",
           ("test_bot_users.py -k leftovers",)),
    Mutant("a user stays when its bot has ended", USERS,
           "await remove(users: [Self.prefix + id], deadline: deadline)", "", ("test_bot_users.py -k as_long_as",),
           is_statement=True),
    Mutant("bots share a user where each must have one", USERS, "where «mode == .auto» && Self.isForGood(text)", "true",
           ("test_bot_users.py -k may_make",)),
)
