import Log
import Metrics
import Usher

/// What is the whole process', whichever loop it is asked on.
public struct ThisProcess {
    /// nil if the system does not tell.
    private let statistics = ProcessStatistics.read()

    public init() {}
}

extension ThisProcess: Measured {
    public static let measures: [Measure<ThisProcess>] = [
        Measure(
            .counter, "usher_log_lines_dropped_total",
            "Lines of the log that were dropped, since nobody took them from standard error or it could not be written."
        ) { _ in LineWriter.standardError.droppedLines },
        Measure(.gauge, "usher_build_info", by: ["version"], "1, with the version.") { _ in [([usherVersion], 1)] },
        Measure(
            .counter, "process_cpu_seconds_total", "Processor time that the process has used.",
            seconds: { $0.statistics?.processorSeconds }),
        Measure(.gauge, "process_resident_memory_bytes", "Memory that is resident.") { $0.statistics?.residentBytes },
        Measure(.gauge, "process_virtual_memory_bytes", "Address space.") { $0.statistics?.virtualBytes },
        Measure(.gauge, "process_open_fds", "File descriptors that are open.") { $0.statistics?.openDescriptors },
        Measure(.gauge, "process_max_fds", "How many may be.") { $0.statistics?.maximumDescriptors },
        Measure(.gauge, "process_threads", "Threads.") { $0.statistics?.threads },
        Measure(
            .gauge, "process_start_time_seconds", "When the process started, in seconds since 1970.",
            seconds: { $0.statistics?.startTime }),
    ]
}
