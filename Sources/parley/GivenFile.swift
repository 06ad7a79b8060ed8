import ArgumentParser
import Base
import Foundation

/// A file that was named on the command line: what is wrong with it is told in one line that names it.
enum GivenFile {
    /// - Throws: `ValidationError`.
    static func read(_ path: String) throws(ValidationError) -> Data {
        guard let data = FileManager.default.contents(atPath: path) else {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw ValidationError("\(path): \(isThere ? "cannot be read as a file" : "no such file")")
        }
        return data
    }

    static func text(_ path: String) throws(ValidationError) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    static func json(_ path: String) throws(ValidationError) -> JSON {
        guard let json = JSON(parsing: try text(path)) else {
            throw ValidationError("\(path): no JSON")
        }
        return json
    }

    static func object(_ path: String) throws(ValidationError) -> [String: JSON] {
        guard let object = try json(path).object else { throw ValidationError("\(path): no JSON object") }
        return object
    }

    static func write(_ data: Data, to path: String) throws(ValidationError) {
        do { try data.write(to: URL(filePath: path)) } catch {
            throw ValidationError("\(path): cannot be written")
        }
    }
}
