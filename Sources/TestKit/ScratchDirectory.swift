import Foundation

/// A directory of a test's own, removed with all that is in it once nobody holds this.
package final class ScratchDirectory: Sendable {
    /// Short enough for a socket in it: a unix socket's path may have 107 bytes.
    package let path: String

    package init() {
        path = NSTemporaryDirectory() + "parley-test-" + String(UInt64.random(in: .min ... .max), radix: 36)
        // Should it fail, the first who writes there says so.
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }  // Nothing depends on it.
}
