# frozen_string_literal: true

# The loans service of a library.
require 'json'
require 'pg'
require 'sinatra/base'
require_relative 'lib/database'
require_relative 'lib/loans'
require_relative 'lib/search'

class LibraryApp < Sinatra::Base
  set :show_exceptions, false
  set :raise_errors, false
  set :dump_errors, true
  set :logging, false
  set :host_authorization, permitted_hosts: [] if settings.respond_to?(:host_authorization)

  before { content_type :json }

  get('/healthz') { { status: 'ok' }.to_json }

  get '/metrics' do
    content_type 'text/plain'
    Database.metrics
  end

  get('/books') { Search.books(params['q'] || '').to_json }

  get '/books/:id' do |id|
    book = Search.book(Integer(id))
    halt 404, { error: 'NO_SUCH_BOOK' }.to_json unless book
    book.to_json
  end

  get('/members/:id/loans') { |id| Loans.of(Integer(id)).to_json }

  post '/loans' do
    body = JSON.parse(request.body.read)
    status 201
    Loans.lend(body['member'], body['book']).to_json
  end

  error { { error: 'INTERNAL' }.to_json }
end
