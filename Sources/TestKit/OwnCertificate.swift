import Foundation
package import NIOSSL

/// For `localhost` and 127.0.0.1, signed by itself, until 2126; worth nothing outside tests.
package enum OwnCertificate {
    package static func make() throws -> NIOSSLCertificate {
        try NIOSSLCertificate(bytes: bytes(certificate), format: .der)
    }

    /// For a server that shows it.
    package static func serving() throws -> TLSConfiguration {
        .makeServerConfiguration(
            certificateChain: [.certificate(try make())],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: bytes(key), format: .der)))
    }

    /// The path of a file in `directory` that names it as an authority.
    package static func write(in directory: ScratchDirectory) throws -> String {
        let path = directory.path + "/ca.pem"
        let bytes = Data(try make().toDERBytes()).base64EncodedString()
        try "-----BEGIN CERTIFICATE-----\n\(bytes)\n-----END CERTIFICATE-----\n"
            .write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private static func bytes(_ base64: String) -> [UInt8] {
        [UInt8](Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data())
    }
    private static let certificate = """
        MIIBmzCCAUGgAwIBAgIUco54HHYNyzp+DX1D9pnph45lbsQwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2
        MTEyMjIwMDQ0MVoYDzIxMjYxMDI5MjAwNDQxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
        AAQtJKXMNuzrmp8467oCEvZ9gibi3CDwbiGfqiF3jekivc8xJaLzXQRtCJj+yzEMc1543dKT+DdN+Q5b62MyeEdTo28wbTAdBgNV
        HQ4EFgQUZFPKBBIvODDXAVeg4pN+RccDPNwwHwYDVR0jBBgwFoAUZFPKBBIvODDXAVeg4pN+RccDPNwwDwYDVR0TAQH/BAUwAwEB
        /zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIhAMR09K0WgTIbIy09rX+lqSpR4O6nHWOJgkJq
        WJPr3whVAiB3j45P80LGWwvnoXXzcEBiD6OZbUyRnUcAJEV7uhujbw==
        """
    private static let key = """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOFzAKMLxYyYjREaamxTFtsh2NEvNiiD6x7J/pZq0JFGhRANCAAQt
        JKXMNuzrmp8467oCEvZ9gibi3CDwbiGfqiF3jekivc8xJaLzXQRtCJj+yzEMc1543dKT+DdN+Q5b62MyeEdT
        """
}
