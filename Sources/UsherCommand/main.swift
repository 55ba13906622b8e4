import Glibc
import Processes

ProcessLimits.ignoreBrokenPipes()
exit(
    UsherMain.run(arguments: Array(CommandLine.arguments.dropFirst()), environment: UsherMain.processEnvironment()))
