import Foundation

/// What people are told beside a command's output.
enum StandardError {
    static func say(_ line: String) { write(line + "\n") }

    /// Without a line's end: for progress that is written over.
    static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
