# Writes a .cpp that holds the bytes of a file. Run as
#   cmake -DINPUT=file -DOUTPUT=file.cpp -DSYMBOL=name -P embed.cmake
file(READ ${INPUT} hex HEX)
file(SIZE ${INPUT} size)
# Character literals rather than numbers: a byte above 127 does not narrow to char.
string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${lines}")
file(WRITE ${OUTPUT} "#include \"embedded/${SYMBOL}.hpp\"

namespace symphony::embedded {
namespace {

constexpr char kBytes[] = {
${bytes}'\\0'};

}  // namespace

constinit const std::string_view ${SYMBOL}{kBytes, ${size}};

}  // namespace symphony::embedded
")
