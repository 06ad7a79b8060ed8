import Foundation

/// What a process has used so far, as the kernel counts it.
struct ProcessUsage {
    var cpuMs: Int
    var residentBytes: Int
    var threads: Int
    var descriptors: Int

    /// nil when the process is gone. Source: proc(5), `stat` fields 14, 15 and 20, `statm` field 2, and `fd`.
    init?(of processID: Int32) {
        guard let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd"),
            let statm = try? String(contentsOfFile: "/proc/\(processID)/statm", encoding: .utf8),
            let afterName = stat.lastIndex(of: ")")
        else { return nil }  // Gone: the caller says what that means.
        let fields = stat[afterName...].split(separator: " ")
        let pages = statm.split(separator: " ")
        guard fields.count > 18, pages.count > 1, let user = Int(fields[12]), let system = Int(fields[13]),
            let threads = Int(fields[18]), let resident = Int(pages[1])
        else { return nil }
        cpuMs = (user + system) * 1000 / sysconf(Int32(_SC_CLK_TCK))
        self.threads = threads
        descriptors = open.count
        residentBytes = resident * sysconf(Int32(_SC_PAGESIZE))
    }
}
