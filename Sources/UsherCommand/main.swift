import Glibc
import Processes

ProcessLimits.ignoreBrokenPipes()
ProcessLimits.occupyStandardDescriptors()
exit(
    Terminal.end(
        UsherMain.run(arguments: Array(CommandLine.arguments.dropFirst()), environment: UsherMain.processEnvironment())
    ))
