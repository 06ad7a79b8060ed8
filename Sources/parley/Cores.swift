import Foundation

/// Which cores of the machine are meant.
enum Cores {
    private static let field = "Cpus_allowed:"

    /// So many may be used by this process: fewer than the machine has where it is pinned. nil: the kernel does not say.
    /// Source: proc(5), `status`: a mask in hexadecimal digits.
    static var usable: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(field) })
        else { return nil }  // No such file, as on another system.
        let count = line.dropFirst(field.count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : nil
    }
}
