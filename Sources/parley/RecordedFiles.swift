import ArgumentParser
import Audio
import Base
import Foundation

/// What a call left, from a directory in which workers wrote: `CALL.EPOCH.journal` and `CALL.EPOCH.wav`, there or in the
/// folder of a tenant, and `CALL.json` where someone has kept what the API told of it.
struct RecordedFiles {
    let directory: String
    let call: String

    /// nil when there is none.
    func journal() throws -> Data? { try joined("journal") { $0.reduce(Data(), +) } }

    /// One WAV of all epochs; nil when there is none.
    func recording() throws -> Data? {
        try joined("wav") { parts in
            let samples = parts.map { $0.dropFirst(WAV.headerBytes) }.reduce(Data(), +)
            return Data(WAV.header(dataBytes: samples.count)) + samples
        }
    }

    func sheet() throws -> JSON? {
        let path = "\(directory)/\(call).json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try GivenFile.json(path)
    }

    private func joined(_ kind: String, _ join: ([Data]) -> Data) throws -> Data? {
        let names = try Self.names(in: directory)
        // A call is one tenant's.
        let tenants = names.filter { $0.hasPrefix(Tenant.prefix + "_") }.map { "\(directory)/\($0)" }
        for folder in [directory] + tenants.filter(Self.isFolder) {
            let epochs = try Self.names(in: folder).compactMap { name -> (Int, String)? in
                guard name.hasPrefix(call + "."), name.hasSuffix("." + kind) else { return nil }
                return Int(name.dropFirst(call.count + 1).dropLast(kind.count + 1)).map { ($0, name) }
            }
            guard !epochs.isEmpty else { continue }
            return join(
                try epochs.sorted { $0.0 < $1.0 }.map { try GivenFile.read("\(folder)/\($0.1)") })
        }
        return nil
    }

    private static func names(in folder: String) throws -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw ValidationError("\(folder): no folder that can be read")
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
