<?php
declare(strict_types=1);
// A marketplace for second-hand things.
require __DIR__ . '/src/Db.php';
require __DIR__ . '/src/Listings.php';
require __DIR__ . '/src/Prices.php';
require __DIR__ . '/src/Render.php';

ini_set('display_errors', '0');
ini_set('log_errors', '1');

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
header('Content-Type: application/json');

if ($path === '/healthz') {
    echo '{"status":"ok"}';
} elseif (preg_match('#^/item/(\d+)$#', $path, $m)) {
    $item = Listings::get((int) $m[1]);
    if ($item === null) {
        http_response_code(404);
        echo '{"error":"NO_SUCH_ITEM"}';
    } else {
        echo json_encode(Render::item($item));
    }
} elseif ($path === '/search') {
    echo json_encode(Listings::search($_GET['q'] ?? ''));
} elseif ($path === '/offer' && $_SERVER['REQUEST_METHOD'] === 'POST') {
    $body = json_decode(file_get_contents('php://input'), true, 16, JSON_THROW_ON_ERROR);
    $id = Listings::offer((int) $body['item'], (int) $body['cents'], (string) ($body['note'] ?? ''));
    http_response_code(201);
    echo json_encode(['id' => $id]);
} elseif ($path === '/export') {
    header('Content-Type: text/csv');
    Render::export();
} else {
    http_response_code(404);
    echo '{"error":"NOT_FOUND"}';
}
