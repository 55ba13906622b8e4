import CLinux
import Glibc

/// A deadline that the kernel keeps: it kills this process, and so the program that ends with it, even while both are
/// stopped. A stopped process runs no code, but SIGKILL ends it all the same (signal(7)).
struct KernelDeadline {
    /// To the kernel a number, of which the first is 0, and so nil to Swift.
    private let timer: timer_t?

    /// nil if the kernel grants no timer.
    init?() {
        var event = sigevent()
        event.sigev_notify = Int32(SIGEV_SIGNAL)
        event.sigev_signo = SIGKILL
        var timer: timer_t?
        guard timer_create(CLOCK_BOOTTIME, &event, &timer) == 0 else { return nil }
        self.timer = timer
    }

    /// The end of this process, unless it is moved; nil for none.
    func set(_ time: BootTime?) {
        var setting = itimerspec()
        if let time {
            setting.it_value.tv_sec = Int(time.nanoseconds / 1_000_000_000)
            setting.it_value.tv_nsec = Int(time.nanoseconds % 1_000_000_000)
        }
        timer_settime(timer, Int32(TIMER_ABSTIME), &setting, nil)
    }
}
