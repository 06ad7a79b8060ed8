import Foundation

/// A Swift file of this repository, split so that rules look at code and not at words about it.
struct SourceFile {
    /// From the repository's root.
    let path: String
    let lines: [String]

    /// Lines with string literals and comments blanked, numbered from 1.
    var code: [(number: Int, text: String)] {
        var inBlock = false
        return lines.enumerated().map { ($0.offset + 1, Self.strip($0.element, inBlock: &inBlock)) }
    }

    private static func strip(_ line: String, inBlock: inout Bool) -> String {
        var out = ""
        var inString = false
        var previous: Character = " "
        for character in line {
            if inBlock {
                if previous == "*", character == "/" { inBlock = false }
            } else if inString {
                if character == "\"", previous != "\\" { inString = false }
            } else if character == "\"" {
                inString = true
            } else if previous == "/", character == "/" {
                return String(out.dropLast())
            } else if previous == "/", character == "*" {
                inBlock = true
                out.removeLast()
            } else {
                out.append(character)
            }
            previous = character
        }
        return out
    }
}

enum Repository {
    static let root: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every Swift file under `folder`, sorted by path.
    static func swiftFiles(under folder: String) throws -> [SourceFile] {
        let base = root.appending(path: folder)
        guard let walker = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else {
            return []
        }
        var files: [SourceFile] = []
        for case let url as URL in walker where url.pathExtension == "swift" {
            let text = try String(contentsOf: url, encoding: .utf8)
            files.append(
                SourceFile(
                    path: String(url.path.dropFirst(root.path.count + 1)),
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)))
        }
        return files.sorted { $0.path < $1.path }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
