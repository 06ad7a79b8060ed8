import Audio
import Base
import CallDispatch
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Store

/// The files of a call: its recording as one WAV, and its journal; and the end of both. Each epoch leaves its own files,
/// also one whose worker died in the middle; they are joined in order, and the gap between two workers takes no time.
struct CallFileRoutes: Routes {
    /// Read and sent at once.
    static let chunkBytes = 64 * 1024
    static let headerBytes = 44

    private let store: CallStore
    private let facts: FactStore
    private let root: String
    private let forgetCall: ForgetCall

    init(_ parts: ControlPlane.Parts, recordings: String) {
        store = CallStore(parts.database)
        facts = FactStore(parts.database)
        root = recordings
        forgetCall = ForgetCall(parts.database, recordings: recordings)
    }

    func add(to router: RouterGroup<ControlRequest>) {
        router.get("/v1/calls/{id}/recording", use: recording)
        router.get("/v1/calls/{id}/journal", use: journal)
        router.delete("/v1/calls/{id}/content", use: forget)
    }

    private func forget(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let access = try context.caller()
        try access.require(.callsWrite)
        guard try await forgetCall(access.tenant, try context.id("id", Call.self)) else {
            throw Problem.notFound("call")
        }
        return Response(status: .noContent)
    }

    private func recording(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let files = try await files(context, .recording)
        let parts = files.compactMap(WAVFile.init(path:))
        guard let first = parts.first else { throw Problem.notFound("recording") }
        // Epochs of one call are recorded alike; a file of another format cannot be joined.
        let alike = parts.filter { $0.format == first.format }
        let bytes = alike.reduce(0) { $0 + $1.length }
        return stream(
            type: "audio/wav", head: first.header(dataBytes: bytes),
            parts: alike.map { ($0.path, $0.start, $0.length) })
    }

    private func journal(_ request: Request, _ context: ControlRequest) async throws -> Response {
        let files = try await files(context, .journal).compactMap { path in
            Self.wholeLines(path).map { (path, 0, $0) }
        }
        guard !files.isEmpty else { throw Problem.notFound("journal") }
        return stream(type: "application/x-ndjson", head: [], parts: files)
    }

    /// Bytes up to the last line's end: a writer that died may have left half a line, which would spoil the next
    /// file's first. nil: no file, or no line.
    private static func wholeLines(_ path: String) -> Int? {
        guard let file = FileHandle(forReadingAtPath: path), var end = try? file.seekToEnd() else {
            return nil
        }
        defer { try? file.close() }  // Only read: nothing is lost.
        while end > 0 {
            let start = end - min(end, UInt64(chunkBytes))
            guard (try? file.seek(toOffset: start)) != nil,
                let chunk = try? file.read(upToCount: Int(end - start))
            else { return nil }
            if let last = chunk.lastIndex(of: 0x0A) {
                return Int(start) + chunk.distance(from: chunk.startIndex, to: last) + 1
            }
            end = start
        }
        return nil
    }

    private func files(_ context: ControlRequest, _ kind: ArtifactKind) async throws -> [String] {
        let access = try context.caller()
        try access.require(.callsRead)
        let id = try context.id("id", Call.self)
        guard try await store.find(access.tenant, id) != nil else { throw Problem.notFound("call") }
        // Paths were checked when they were stored; once more, as this is where they are opened.
        return try await facts.artifacts(access.tenant, id, kind: kind).map(\.path)
            .filter { !$0.hasPrefix("/") && !$0.contains("..") }.map { root + "/" + $0 }
    }

    private func stream(type: String, head: [UInt8], parts: [(path: String, start: Int, length: Int)])
        -> Response
    {
        let length = head.count + parts.reduce(0) { $0 + $1.length }
        let body = ResponseBody(contentLength: length) { writer in
            if !head.isEmpty { try await writer.write(ByteBuffer(bytes: head)) }
            for part in parts {
                let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: part.path))
                defer { try? file.close() }  // Only read: nothing is lost.
                try file.seek(toOffset: UInt64(part.start))
                var left = part.length
                while left > 0, let chunk = try file.read(upToCount: min(left, Self.chunkBytes)),
                    !chunk.isEmpty
                {
                    left -= chunk.count
                    try await writer.write(ByteBuffer(bytes: chunk))
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: type], body: body)
    }
}

/// Where the sound of a RIFF file is. One that is still being written may say less than is there, never more.
struct WAVFile {
    /// Its sound begins within them.
    private static let headBytes = 4096

    let path: String
    /// The `fmt ` chunk.
    let format: [UInt8]
    let start: Int
    let length: Int

    /// nil for what is not a WAV, or not there: why is not told to those who ask for it.
    init?(path: String) {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }  // Only read: nothing is lost.
        guard let head = try? file.read(upToCount: Self.headBytes).map({ Array($0) }),
            let size = try? file.seekToEnd(), let layout = try? WAV.layout(head)
        else { return nil }
        self.path = path
        format = Array(head[layout.format])
        start = layout.start
        length = min(layout.length, Int(size) - layout.start)
    }

    /// RIFF, fmt and data headers over `dataBytes` of sound.
    func header(dataBytes: Int) -> [UInt8] {
        func four(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        return Array("RIFF".utf8) + four(20 + format.count + dataBytes) + Array("WAVEfmt ".utf8)
            + four(format.count) + format
            + Array("data".utf8) + four(dataBytes)
    }
}
