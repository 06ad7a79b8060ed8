import Foundation
import Testing

/// The rules a machine can check. Each message says what to do instead.
@Suite struct TidyTests {
    static let pure = [
        "Base", "Turns", "Calls", "Agents", "Billing", "Routing", "Audio", "Conversation", "Review",
        "Simulation",
    ]
    /// Files over `fileLinesMax` when the limit was set. A length may only fall; a file that fits again leaves the list.
    static let longFiles: [String: Int] = [:]
    static let fileLinesMax = 500
    static let functionLinesMax = 70

    @Test(arguments: pure)
    func coresStayPure(target: String) throws {
        let banned = [
            "import Foundation": "cores use the standard library only",
            "import NIO": "cores know no event loop",
            ".now": "take `now` as a parameter",
            "Task {": "return an effect; the runner starts tasks",
            " async ": "cores are synchronous",
            "await ": "cores are synchronous",
            ".random(": "take a generator as a parameter",
        ]
        let files = try Repository.swiftFiles(under: "Sources/\(target)")
        #expect(!files.isEmpty, "Sources/\(target) holds no Swift file")
        for file in files {
            for (number, line) in file.code {
                for (pattern, instead) in banned where line.contains(pattern) {
                    if pattern == ".random(", line.contains("using:") { continue }
                    Issue.record("\(file.path):\(number): `\(pattern)` is banned in a core: \(instead)")
                }
            }
        }
    }

    @Test func coresDoNotImportEachOther() throws {
        let cores = ["Turns", "Calls", "Agents", "Billing", "Routing", "Audio"]
        for core in cores {
            for file in try Repository.swiftFiles(under: "Sources/\(core)") {
                for (number, line) in file.code {
                    for other in cores where other != core && line.hasSuffix("import \(other)") {
                        Issue.record("\(file.path):\(number): a core imports a core: let a role translate")
                    }
                }
            }
        }
    }

    @Test func nothingIsPublicNorTrapsOnInput() throws {
        let banned = [
            "try!": "throw, or make the failure impossible",
            "as!": "use `as?` and say what happens otherwise",
            "@unchecked Sendable {}": "say what confines it",
        ]
        let declared =
            /\b(?:public|open) (?:static |final )*(?:func|var|let|struct|class|enum|actor|protocol|init|import)\b/
        for file in try Repository.swiftFiles(under: "Sources") {
            for (number, line) in file.code {
                for (pattern, instead) in banned where line.contains(pattern) {
                    Issue.record("\(file.path):\(number): `\(pattern)`: \(instead)")
                }
                if line.contains(declared) {
                    Issue.record("\(file.path):\(number): nobody imports us: use `package`")
                }
            }
        }
    }

    @Test func onlyTheCommandLinePrints() throws {
        for file in try Repository.swiftFiles(under: "Sources") where !file.path.hasPrefix("Sources/parley/")
        {
            for (number, line) in file.code where line.contains("print(") && !line.contains("func print(") {
                Issue.record("\(file.path):\(number): log, or return what is to be shown")
            }
        }
    }

    @Test func nothingIsLeftForLater() throws {
        for folder in ["Sources", "Tests"] {
            for file in try Repository.swiftFiles(under: folder) where !file.path.hasPrefix("Tests/Tidy/") {
                for (number, line) in file.lines.enumerated() {
                    for mark in ["TODO", "FIXME", "XXX", "HACK"] where line.contains(mark) {
                        Issue.record("\(file.path):\(number + 1): \(mark): do it, or write down why not")
                    }
                }
            }
        }
    }

    @Test func typesHaveNamesThatSaySomething() throws {
        let endings = [
            "Manager", "Helper", "Helpers", "Utils", "Service", "Processor", "Context", "Info", "Impl",
        ]
        let declaration = /\b(?:struct|class|enum|actor|protocol)\s+([A-Z][A-Za-z0-9]*)/
        for file in try Repository.swiftFiles(under: "Sources") {
            for (number, line) in file.code {
                guard let name = line.firstMatch(of: declaration)?.1 else { continue }
                for ending in endings where name.hasSuffix(ending) {
                    Issue.record(
                        "\(file.path):\(number): \(name): name it after the field's noun, not \(ending)")
                }
            }
        }
    }

    @Test func filesStayReadable() throws {
        for folder in ["Sources", "Tests"] {
            for file in try Repository.swiftFiles(under: folder) {
                let limit = Self.longFiles[file.path] ?? Self.fileLinesMax
                #expect(
                    file.lines.count <= limit + 1,
                    "\(file.path) has \(file.lines.count) lines: split it by concept (limit \(limit))")
            }
        }
    }

    @Test func functionsFitOneScreen() throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            for function in functions(in: file) where function.lines > Self.functionLinesMax {
                Issue.record(
                    "\(file.path):\(function.start): \(function.lines) lines in one function: cut it (limit \(Self.functionLinesMax))"
                )
            }
        }
    }

    @Test func theLengthRuleSeesALongFunction() {
        let body = Array(repeating: "    x()", count: 71)
        let file = SourceFile(path: "x", lines: ["func f() {"] + body + ["}"])
        #expect(functions(in: file).map(\.lines) == [73])
    }

    @Test func everyTargetSaysWhatItOwns() throws {
        let architecture = try Repository.text("docs/ARCHITECTURE.md")
        let sources = try FileManager.default.contentsOfDirectory(
            atPath: Repository.root.appending(path: "Sources").path)
        for target in sources where target != "System" {
            #expect(architecture.contains("`\(target)`"), "docs/ARCHITECTURE.md does not mention `\(target)`")
        }
    }

    /// Functions by the line of their `func` or `init` and the lines to the closing brace.
    private func functions(in file: SourceFile) -> [(start: Int, lines: Int)] {
        var found: [(start: Int, lines: Int)] = []
        var open: [(start: Int, depth: Int)] = []
        var depth = 0
        var pending: Int?
        for (number, line) in file.code {
            if line.contains(/\b(func\s|init[?]?\s*[(<])/), !line.contains(/\.init\s*[(]/) {
                pending = number
            }
            for character in line {
                if character == "{" {
                    if let start = pending {
                        open.append((start, depth))
                        pending = nil
                    }
                    depth += 1
                } else if character == "}" {
                    depth -= 1
                    if let last = open.last, last.depth == depth {
                        open.removeLast()
                        found.append((last.start, number - last.start + 1))
                    }
                }
            }
        }
        return found
    }
}
