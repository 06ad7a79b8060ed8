import Agents
import Foundation
import Testing

/// Compares a ladder with `Golden/NAME.golden`; `UPDATE_GOLDEN=1` writes the file instead.
func expectGolden(
    _ name: String, _ story: String, _ ladder: [String], sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    let file = folder.appending(path: name + ".golden")
    let heading = story.split(separator: "\n").map { "# \($0)" }
    let text = (heading + [""] + ladder).joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        try text.write(to: file, atomically: true, encoding: .utf8)
        return
    }
    let wanted = try String(contentsOf: file, encoding: .utf8)
    if wanted != text {
        let pairs = zip(wanted.split(separator: "\n"), text.split(separator: "\n"))
        let first = pairs.first { $0 != $1 }.map { "wanted \($0)\nfound  \($1)" } ?? "one is longer"
        Issue.record(
            "\(name).golden differs (UPDATE_GOLDEN=1 rewrites it):\n\(first)", sourceLocation: sourceLocation)
    }
}

func definition(_ json: String) throws -> AgentDefinition {
    try JSONDecoder().decode(AgentDefinition.self, from: Data(json.utf8))
}
