import Glibc
import Runner

/// `usher supervise`, with a kernel that leaves it an hour: a test that runs it sees what the supervisor does by itself,
/// however late on a machine that is busy.
exit(Supervisor.run(kernelDelayMilliseconds: 3_600_000))
